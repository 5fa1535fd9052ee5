cimport cython

from appliance.sip.characters cimport digits_of
from appliance.sip.message cimport Request, Response
from appliance.sip.via cimport Via, new_via, parse_via
from appliance.transport.flow cimport Flow, Outgoing
from appliance.transport.transport_table cimport default_port, is_opened_here, is_stream, transport_of_via

cdef int NO_CONNECTION, NO_PROCESS, TCP, UDP, UNKNOWN_TRANSPORT
cdef tuple VIA_TOKENS

cdef int ABSENT, VIA

@cython.locals(via=Via, with_stamp=Via)
cpdef stamp_received(Request request, Flow flow)
@cython.locals(address=bytes, asks_port=bint, needs_received=bint, received=bytes, rport=int)
cpdef Via stamped_via(Via via, Flow flow)
cpdef bint is_same_host(bytes host, bytes address) except -1
cpdef bint is_translated(bytes host, bytes address) except -1
@cython.locals(kept=list, part=bytes, name=bytes, first='unsigned char')
cpdef bytes stamped(bytes text, bytes received, int rport)
@cython.locals(parts=list, begin=Py_ssize_t, index=Py_ssize_t, byte='unsigned char', is_quoted=bint, is_escaped=bint)
cpdef list split_parameters(bytes text)
@cython.locals(transport=int, port=int)
cpdef tuple response_destination(Via via)
cpdef bytes without_brackets(bytes host)
@cython.locals(port=int, own_port=int)
cpdef Flow response_flow(Via via, Flow flow)
@cython.locals(port=int)
cpdef Outgoing reopened(Outgoing outgoing)
cpdef tuple quoted_request(bytes quote)
@cython.locals(via=Via)
cpdef push_via(Request request, int transport, bytes sent_by, bytes branch, bint rport, bint alias=*)
cpdef bytes pop_via(Response response)
cpdef bint is_last_via(Response response) except -1
