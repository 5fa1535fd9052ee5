cimport cython

from appliance.proxy.forwarding cimport breadth_of
from appliance.proxy.request_context cimport RequestContext
from appliance.proxy.fast_settings cimport ProxyRules
from appliance.routing.targets cimport Target


@cython.locals(breadth=long, spare=long, kept=long, target=Target)
cpdef long deal_breadth(RequestContext context, list targets, ProxyRules rules) except -2
@cython.locals(part=long)
cpdef long deal_to_redirected(long kept, list targets) except -2
@cython.locals(count=long, index=long, target=Target)
cdef _deal(long breadth, list targets)
cdef bint _has_parallel(list targets, str fork) except -1
