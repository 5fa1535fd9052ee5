cdef class OverloadController:
    cdef double _target_s
    cdef double _limit_s
    cdef tuple _retry_after
    cdef readonly bint is_refusing
    cdef public double share
    cdef readonly double delay_s
    cdef object _above_since
    cdef double _delay
    cdef double _delay_before
    cdef double _stepped_at
    cdef double _debt
    cdef long long _admitted
    cdef double _rate
    cdef double _rate_at
    cdef double _appointment

    cpdef reconfigure(self, object settings)
    cpdef observe(self, double delay_s, double now)
    cdef _watch(self, double delay_s, double now)
    cdef _step(self, double delay, double elapsed, double now)
    cpdef rest(self, double now)
    cdef _end(self)
    cpdef bint admits(self, double now) except -1
    cpdef int retry_after_s(self) except -1
    cpdef int appointment_s(self, double now) except -1
    cpdef str overload(self)
    cdef _note_rate(self, double now)
