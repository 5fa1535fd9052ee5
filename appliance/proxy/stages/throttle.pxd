cimport cython

from appliance.proxy.dialogs cimport begins_nothing
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.overload.rate_limits cimport Limit, RateLimits
from appliance.proxy.request_context cimport RequestContext
from appliance.transport.source cimport source_of
from appliance.sip.message cimport Request


@cython.locals(limits=RateLimits, limit=Limit, request=Request, wanted=tuple, is_registration=bint)
cpdef object throttle(RequestContext context, ProxyEnvironment node, double now)
@cython.locals(address=str)
cdef bint _is_spared(RequestContext context) except -1
@cython.locals(request=Request)
cdef str _key(Limit limit, RequestContext context)
cdef object _beyond(Limit limit, ProxyEnvironment node)
