cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request

cdef int PROXY_AUTHORIZATION


@cython.locals(request=Request, values=list, value=bytes)
cpdef object remove_credentials(RequestContext context, ProxyEnvironment node, double now)
cdef bint _is_for_us(bytes value, ProxyEnvironment node) except -1
