cimport cython

from appliance.location.gruu cimport instance_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.routing.targets cimport Target, targets_of_bindings
from appliance.sip.uri cimport Uri


@cython.locals(bindings=list, targets=list, target=Target)
cpdef list targets_of(Uri uri, ProxyEnvironment node, double now)
