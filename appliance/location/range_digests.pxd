cimport cython


@cython.final
cdef class Digests:
    cdef public list now
    cdef public long long newest
    cdef list _recent
    cdef list _recent_second
    @cython.locals(slot=int, noted=cython.longlong, recent=list)
    cpdef note(self, long long second, int place, unsigned long long difference, long long clock)
    @cython.locals(slot=int)
    cpdef set_back(self, long long second)
    @cython.locals(slot=int)
    cpdef list at(self, long long second)
