cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext


cpdef object record_route(RequestContext context, ProxyEnvironment node, double now)
cdef bint _leads_by_flow(RequestContext context) except -1
