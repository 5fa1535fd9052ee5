cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.location.registrar cimport Outcome, outcome_of
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri

cdef Py_ssize_t REGISTRATIONS_ACCEPTED, REGISTRATIONS_REFUSED


@cython.locals(request=Request, address=Uri, outcome=Outcome)
cpdef object register(RequestContext context, Node node, double now)
