cimport cython

from appliance.proxy.identities cimport remove_claims
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request

cdef int P_ASSERTED_IDENTITY


@cython.locals(request=Request, uri=bytes)
cpdef object assert_identity(RequestContext context, ProxyEnvironment node, double now)
