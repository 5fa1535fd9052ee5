cimport cython

cdef double EIGHTHS
cdef long _EXACT
cdef long _IN_COMPANY


cdef class TimerSettings:
    cdef readonly double t1
    cdef readonly double t2
    cdef readonly double t4
    cdef readonly double b
    cdef readonly double c
    cdef readonly double d_unreliable
    cdef readonly double f
    cdef readonly double h
    cdef readonly double i_unreliable
    cdef readonly double j_unreliable
    cdef readonly double k_unreliable
    cdef readonly double l
    cdef readonly double m
    cdef readonly double trying


@cython.final
cdef class Timer:
    cdef public double at
    cdef public object owner
    cdef public long token
    cdef Timer _before
    cdef Timer _after


@cython.final
cdef class Timers:
    cdef dict _rings
    cdef list _ring_list
    cdef Py_ssize_t _len
    cdef public object failed

    @cython.locals(ring=Timer, timer=Timer, last=Timer)
    cpdef Timer start(self, double duration_s, double now, object owner, long token)
    @cython.locals(ring=Timer)
    cdef Timer _new_ring(self, double duration_s)
    cpdef cancel(self, Timer timer)
    @cython.locals(before=Timer, after=Timer)
    cdef _take_out(self, Timer timer)
    @cython.locals(exact=double, in_company=double, ring=Timer, head=Timer)
    cpdef double next_due(self)
    @cython.locals(expired=list, ring=Timer, head=Timer)
    cpdef list due(self, double now)
    @cython.locals(count=Py_ssize_t)
    cpdef bint is_sound(self) except -1
    @cython.locals(timer=Timer, told=long)
    cpdef long fire(self, double now) except -1


@cython.locals(count=Py_ssize_t, timer=Timer)
cdef Py_ssize_t _count_of(Timer ring, Py_ssize_t count_max) except -1
cdef double _next_eighth(double moment) noexcept
