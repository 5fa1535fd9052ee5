cdef class Sibling:
    cdef public double met_at
    cdef public long long sent
    cdef public long long acked
    cdef public bint skipped
    cdef public double waiting_since
    cdef public double probe_at
    cdef public bint is_in_sync
    cdef public bint is_lagging
    cdef public long long lag_until
    cdef public long long heard
    cdef public long long sound
    cdef public long long gap_second
    cdef public bint must_ack
    cdef public bint agreed
    cdef public bint has_answered
    cdef public double asked_at
    cdef public double digests_at
    cdef public list wanted_ranges
    cdef public object portions
