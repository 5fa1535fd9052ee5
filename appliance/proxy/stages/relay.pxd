cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request

cdef int ROUTE


@cython.locals(request=Request, is_local=bint)
cpdef object relay(RequestContext context, Node node, double now)
cdef bint _may_relay(RequestContext context) except -1
