cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.rate_limits cimport Limit, RateLimits
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request


@cython.locals(limits=RateLimits, limit=Limit, request=Request, wanted=tuple, is_registration=bint)
cpdef object throttle(RequestContext context, Node node, double now)
@cython.locals(request=Request)
cdef str _key(Limit limit, RequestContext context)
cdef object _beyond(Limit limit, Node node)
