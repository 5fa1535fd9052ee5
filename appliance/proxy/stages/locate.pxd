cimport cython

from appliance.location.gruu cimport instance_of
from appliance.proxy.location_service cimport targets_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.targets cimport Target
from appliance.sip.uri cimport Uri

cdef int ROUTE


@cython.locals(uri=Uri, instance=bytes, targets=list, target=Target)
cpdef object locate(RequestContext context, ProxyEnvironment node, double now)
cdef object _not_registered(RequestContext context, ProxyEnvironment node, bytes aor, double now)
