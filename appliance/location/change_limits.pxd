cimport cython


@cython.final
cdef class ChangeLimits:
    cdef public long changes_max
    cdef dict _free_at
    cdef dict _before

    cpdef ChangeLimits without_effects(self)
    @cython.locals(cost_s=double, free_at=double, beyond_s=double)
    cpdef double wait_for(self, bytes aor, long count, double now) except? -1
