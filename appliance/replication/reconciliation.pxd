cimport cython

cdef double _NEVER


@cython.final
cdef class Comparison:
    cdef readonly double met_at
    cdef public bint is_in_doubt
    cdef public double asked_at
    cdef public double digests_at
    cdef readonly object gap_second
    cdef public bint has_answered
    cdef readonly bint has_agreed


@cython.final
cdef class Reconciliation:
    cdef object _table
    cdef list _outbox
    cdef dict _comparisons
    cdef object _pull
    cdef dict _given
    cdef double _portion_at
    cdef readonly bint is_in_sync

    cpdef send_portions(self, double now)
    @cython.locals(due=double, comparison=Comparison)
    cpdef double next_timer(self) except? -1
    @cython.locals(comparison=Comparison)
    cpdef handle_timers(self, double now)
