cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.location.binding cimport Binding, BindingChange
from appliance.location.registrar cimport Outcome, outcome_of
from appliance.routing.own_names cimport OwnNames
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri, canonical_aor, parse_uri

cdef Py_ssize_t REGISTRATIONS_ACCEPTED, REGISTRATIONS_REFUSED
cdef long long REFUSED


@cython.locals(request=Request, address=Uri, names=OwnNames, is_of_domain=bint, outcome=Outcome, fault=bytes, wait_s=double, after="long long")
cpdef object register(RequestContext context, ProxyEnvironment node, double now)
@cython.locals(binding=Binding, uri=Uri)
cdef bytes _fault_of_contacts(BindingChange change, RequestContext context, ProxyEnvironment node)
