cimport cython

from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.flow cimport Flow


@cython.final
cdef class HeldReplies:
    cdef object _held
    cdef object _transactions
    cdef public double wait_s

    cpdef hold(self, long long after, ServerTransaction server, Flow flow, int status, bytes data, double now)
    @cython.locals(late_count=long)
    cpdef long release(self, long long acknowledged, double now) except -1
    cpdef object next_deadline(self)
