cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.proxy.forwarding cimport breadth_of
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri

cdef int PROXY_REQUIRE, ROUTE


@cython.locals(request=Request, uri=Uri)
cpdef object validate(RequestContext context, ProxyEnvironment node, double now)
@cython.locals(uri=Uri, is_for_us=bint)
cdef bint _is_answered_here(Request request, ProxyEnvironment node) except -1
