cimport cython

from appliance.proxy.keys cimport loop_part_of
from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.via cimport Via, parse_via

cdef int VIA


@cython.locals(request=Request, via=Via)
cpdef object detect_loops(RequestContext context, Node node, double now)
@cython.locals(via=Via)
cdef Via _own_via(bytes value, Node node)
