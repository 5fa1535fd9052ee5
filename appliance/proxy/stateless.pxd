cimport cython

from appliance.proxy.dialogs cimport bind_to_answer
from appliance.proxy.forwarding cimport add_length, address_to_hop, connection_of, length_of, prepare_request
from appliance.proxy.identities cimport remove_claims
from appliance.security.keys cimport period_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.stage_chain cimport run_chain
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.targets cimport Target
from appliance.sip.message cimport Request, Response
from appliance.sip.uri cimport Uri
from appliance.sip.via cimport Via
from appliance.sip.writer cimport write
from appliance.transport.flow cimport Flow, Outgoing
from appliance.transport.via cimport pop_via, response_destination

cdef int VIA


@cython.locals(may_go=bint)
cpdef bint forward_request(RequestContext context, ProxyEnvironment node, double now, bint is_known=*) except -1


@cython.final
cdef class _Passage:
    cdef RequestContext _context
    cdef ProxyEnvironment _node
    cdef Target _target

    @cython.locals(request=Request, hop_uri=Uri, hop=Flow)
    cpdef go(self, double now, object lookups=*)
    @cython.locals(connection=Flow)
    cdef Flow _find_hop(self, Uri uri, Py_ssize_t request_len, object lookups, double now)


@cython.locals(destination=Flow)
cpdef forward_response(Response response, ProxyEnvironment node, double now)
cdef bint _is_of_use(Response response) except -1
@cython.locals(branch=bytes, below=Via)
cdef Flow _upstream_of(Response response, ProxyEnvironment node, double now)
