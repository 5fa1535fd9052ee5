from appliance.sip.message cimport Request, Response
from appliance.transport.flow cimport Flow, Outgoing

cpdef stamp_received(Request request, Flow flow)
cpdef bint is_same_host(bytes host, str address) except -1
cpdef bytes stamped(bytes text, bytes received, int rport)
cpdef list split_parameters(bytes text)
cpdef int transport_number(bytes name) except -2
cpdef Flow response_flow(object via, Flow flow)
cpdef Outgoing reopened(Outgoing outgoing)
cpdef tuple quoted_request(bytes quote)
cpdef push_via(Request request, int transport, bytes sent_by, bytes branch, bint rport)
cpdef bytes pop_via(Response response)
