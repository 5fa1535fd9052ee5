cimport cython

from appliance.sip.traffic_counts cimport TrafficCounts
from appliance.transaction.timers cimport Timer, Timers, TimerSettings
from appliance.transport.flow cimport Flow, Outgoing

cdef int _INPUTS
cdef long _IGNORED
cdef int _INITIAL
cdef int _ACCEPTED
cdef int _TERMINATED
cdef long _STARTS
cdef long _ENDLESS
cdef long _OF_G
cdef long _RESET_E_TO_T2
cdef long _TIMER_A
cdef long _TIMER_E
cdef long _TIMER_G
cdef Py_ssize_t _SENT_AGAIN
cdef Py_ssize_t _RECEIVED_AGAIN


cdef class TransactionLayer:
    cdef public TimerSettings durations
    cdef readonly Timers timers
    cdef public list outbox
    cdef public list counters
    cdef readonly TrafficCounts traffic
    cdef public long ignored_count
    cdef public long pending

    cpdef send(self, bytes data, Flow flow, bytes key)
    cpdef count_sent_again(self, bytes data)
    cpdef count_received_again(self, bytes method)
    cpdef ended(self, Transaction transaction)


cdef class Transaction:
    cdef readonly bytes key
    cdef readonly int state
    cdef readonly bint is_invite
    cdef readonly bint is_reliable
    cdef TransactionLayer _layer
    cdef tuple _steps
    cdef double _interval
    cdef Timer _repeating
    cdef Timer _waiting

    cdef _begin(self, TransactionLayer layer, tuple steps, bytes key, bint is_invite, bint is_reliable)
    cpdef timer_fired(self, long token, double now)
    @cython.locals(step=long)
    cdef long _find(self, int what) except -2
    @cython.locals(t2=double, token=long)
    cdef _repeat(self, long do, double now)
    cdef _wait(self, long token, double duration_s, double now)
    cpdef discard(self)
    cdef _stop_timers(self)
