cimport cython

from appliance.proxy.forwarding cimport connection_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.contact_policy cimport is_foreign
from appliance.routing.targets cimport Target
from appliance.sip.message cimport Request

cdef int AT_SOURCE, ROUTE


@cython.locals(request=Request, is_local=bint, leads_away=bint)
cpdef object relay(RequestContext context, ProxyEnvironment node, double now)
cdef bint _has_foreign(RequestContext context) except -1
cdef bint _is_reachable(Target target, RequestContext context, ProxyEnvironment node) except -1
