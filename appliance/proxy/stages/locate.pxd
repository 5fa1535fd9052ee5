cimport cython

from appliance.location.gruu cimport instance_of
from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.uri cimport Uri


@cython.locals(uri=Uri, aor=bytes, bindings=list)
cpdef object locate(RequestContext context, Node node, double now)
cdef object _nobody(RequestContext context, Node node, bytes aor, double now)
