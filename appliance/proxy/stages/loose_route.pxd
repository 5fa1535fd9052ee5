cimport cython

from appliance.proxy.dialogs cimport admission_of, route_uri
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri

cdef int ROUTE


@cython.locals(request=Request, first=Uri, way_out=int)
cpdef object loose_route(RequestContext context, ProxyEnvironment node, double now)
@cython.locals(uri=Uri)
cdef _strip_own_maddr(Request request, ProxyEnvironment node)
@cython.locals(uri=Uri)
cdef _undo_strict_route(Request request, ProxyEnvironment node)
@cython.locals(value=bytes)
cdef Uri _first_route(Request request)
@cython.locals(uri=Uri)
cdef Uri _own_first_route(Request request, ProxyEnvironment node)
@cython.locals(second=Uri)
cdef int _take_off_second(Request request, ProxyEnvironment node) except -2
