cimport cython

from appliance.proxy.dialogs cimport token_to_sender
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.own_names cimport OwnNames
from appliance.routing.targets cimport Target
from appliance.sip.headers cimport parse_name_addr
from appliance.sip.message cimport Message, Request
from appliance.sip.uri cimport Uri
from appliance.transport.flow cimport Flow
from appliance.transport.transport_table cimport is_secure
from appliance.transport.via cimport push_via

cdef int CONTENT_LENGTH, MAX_BREADTH, MAX_FORWARDS, PATH, RECORD_ROUTE, ROUTE
cdef tuple SIPS_URI_PARAMETERS
cdef tuple URI_PARAMETERS


@cython.locals(request=Request, hop_uri=Uri)
cpdef tuple prepare_request(RequestContext context, Target target, ProxyEnvironment node)
@cython.locals(hops_left=int)
cdef _count_down(Request request, int initial)
@cython.locals(text=bytes)
cpdef long breadth_of(Request request) except -1
@cython.locals(route=bytes, first=Uri)
cdef _leave_strict_route(Request request)
@cython.locals(route=bytes)
cpdef Uri next_hop_of(Request request)
@cython.locals(flow=Flow, here=Flow)
cpdef Flow connection_of(Target target, RequestContext context, ProxyEnvironment node)
@cython.locals(size=Py_ssize_t, line=bytes, names=OwnNames, entry=Py_ssize_t, is_one_side=bint)
cpdef Py_ssize_t length_of(Request request, RequestContext context, ProxyEnvironment node) except -1
@cython.locals(token=bytes, came_by=Flow, is_sips=bint)
cpdef add_record_route(Request request, RequestContext context, Flow hop, ProxyEnvironment node, double now)
@cython.locals(sent_by=bytes)
cdef bytes _own_route(ProxyEnvironment node, Flow side, bytes token, bytes pair, bint is_sips)
cpdef add_path(Request request, RequestContext context, Flow hop, ProxyEnvironment node)
@cython.locals(target=bytes, branch=bytes)
cpdef bytes address_to_hop(Request request, RequestContext context, Flow hop, Py_ssize_t attempt, ProxyEnvironment node)
cpdef add_length(Message message, Flow flow)
