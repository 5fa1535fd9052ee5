cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.targets cimport Target
from appliance.sip.uri cimport Uri


@cython.locals(call_id=bytes, found=list, passable=list, hops=list)
cpdef list hops_of_target(
    Uri uri, Py_ssize_t request_len, Target target, RequestContext context, ProxyEnvironment node, double now, object failed
)
