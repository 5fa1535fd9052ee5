cimport cython

from appliance.security.keys cimport loop_part_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.via cimport Via, parse_via

cdef int VIA


@cython.locals(request=Request, via=Via)
cpdef object detect_loops(RequestContext context, ProxyEnvironment node, double now)
@cython.locals(via=Via)
cdef Via _own_via(bytes value, ProxyEnvironment node)
