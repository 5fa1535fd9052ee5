cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request

cdef int PROXY_AUTHORIZATION


@cython.locals(request=Request, values=list, value=bytes)
cpdef object remove_credentials(RequestContext context, Node node, double now)
cdef bint _is_for_us(bytes value, Node node) except -1
