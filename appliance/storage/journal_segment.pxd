# Each turn that changes registrations writes to one.
cimport cython


@cython.final
cdef class Segment:
    cdef public object path
    cdef public long long size
    cdef public double forget_at
    cdef public int fd
    cdef public bint is_torn

    @cython.locals(written=Py_ssize_t)
    cpdef write(self, bytes data)
    cdef _take_back(self)
