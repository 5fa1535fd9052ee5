cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext


cpdef object record_route(RequestContext context, Node node, double now)
