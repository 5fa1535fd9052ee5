cimport cython


@cython.final
cdef class ReplicationLink:
    cdef readonly long long sent
    cdef readonly long long acked
    cdef public bint is_in_sync
    cdef readonly bint is_owing
    cdef readonly double probe_at
    cdef readonly bint is_lagging
    cdef readonly bint is_ack_due
    cdef long long _lag_until
    cdef bint _skipped
    cdef double _waiting_since
    cdef long long _heard
    cdef long long _sound

    cpdef bint claim_credit(self, long long count, long long seq, double now) except -1
    cpdef bint check_credit(self, long long seq, double lag_s, double now) except -1
    cpdef object acknowledge(self)
