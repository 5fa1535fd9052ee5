cimport cython

from appliance.sip.message cimport Message, Request, Response
from appliance.sip.writer cimport write
from appliance.transaction.layer cimport Transaction, TransactionLayer
from appliance.transaction.timers cimport TimerSettings
from appliance.transport.flow cimport Flow

cdef int CALL_ID, CONTENT_LENGTH, CSEQ, FROM, MAX_FORWARDS, ROUTE, TO, VIA

cdef long _BITS
cdef long _MASK
cdef long _IGNORED
cdef long _TRYING
cdef long _CALLING
cdef long _PROCEEDING
cdef long _ACCEPTED
cdef long _COMPLETED
cdef long _TERMINATED
cdef long _STOP_TIMERS
cdef long _SEND_REQUEST
cdef long _SEND_ACK
cdef long _SEND_RESPONSE
cdef long _SEND_TRYING
cdef long _SEND_AGAIN
cdef long _KEEP_SILENT
cdef long _START_A
cdef long _START_B
cdef long _START_D
cdef long _START_F
cdef long _START_H
cdef long _START_I
cdef long _START_J
cdef long _START_K
cdef long _START_L
cdef long _START_TRYING
cdef long _PASS_RESPONSE
cdef long _PASS_ACK
cdef long _TELL_TIMEOUT
cdef long _TELL_TRANSPORT_ERROR
cdef long _SENDS
cdef long _REPEATS
cdef long _WAITS
cdef long _TELLS
cdef long _REQUEST
cdef long _TIMER_B
cdef long _TIMER_D
cdef long _TIMER_F
cdef long _TIMER_H
cdef long _TIMER_I
cdef long _TIMER_J
cdef long _TIMER_K
cdef long _TIMER_L
cdef long _TIMER_M
cdef long _TIMER_TRYING
cdef long _TIMER_EXPIRY


cdef class ClientUser:
    cpdef response_arrived(self, ClientTransaction client, Response response, double now)
    cpdef timed_out(self, ClientTransaction client, double now)
    cpdef transport_failed(self, ClientTransaction client, double now)


cdef class ClientTransaction(Transaction):
    cdef readonly bytes method
    cdef public Request request
    cdef public bytes data
    cdef public Flow flow
    cdef public ClientUser user
    cdef public long repeats_left

    cpdef resume(self, bint is_proceeding, double now)
    cpdef timer_fired(self, long token, double now)
    @cython.locals(step=long, before=int, do=long, user=ClientUser)
    cpdef step(self, int what, Response response, double now)
    cdef _send(self, long do, Response response)
    @cython.locals(durations=TimerSettings)
    cdef _start_waiting(self, long do, double now)
    cdef _let_go(self)
    cdef _tell(self, long do, ClientUser user, Response response, double now)


cdef class ServerTransaction(Transaction):
    cdef public Request request
    cdef public Flow response_flow
    cdef public bytes last_response
    cdef public object user
    cdef public bytes merged_key
    cdef public bytes extension_key
    cdef public tuple answers
    cdef public bytes response_to_tag
    cdef public bint is_rfc2543
    cdef public bint is_unacknowledged
    cdef public bint is_undelivered

    cpdef start(self, object now)
    cpdef timer_fired(self, long token, double now)
    @cython.locals(step=long, before=int, do=long)
    cpdef step(self, int what, bytes data, Request ack, double now)
    cdef _send(self, long do, bytes data)
    @cython.locals(durations=TimerSettings)
    cdef _start_waiting(self, long do, double now)
    cdef _tell(self, long do, Request ack, double now)
    cdef _let_go(self, double now)
    cdef _end(self, double now)


cpdef Request ack_request(Request request, Response response)
cpdef Request cancel_request(ClientTransaction client)
@cython.locals(made=Request)
cdef Request _hop_request(bytes method, Request request, Message answered)
