cimport cython


@cython.final
cdef class HostCache:
    cdef dict _known
    cdef public Py_ssize_t limit

    @cython.locals(entry=tuple)
    cpdef tuple find(self, bytes host, double now)
    cpdef remember(self, bytes host, tuple addresses, double expires_at)
