cimport cython

@cython.locals(text=bytes)
cpdef str literal_address(bytes host)
@cython.locals(dots=cython.int, digits=cython.int, number=cython.int, octet=cython.uchar)
cpdef bint is_dotted_quad(bytes host) except -1
cpdef bint is_unicast(str address) except -1


@cython.final
cdef class HostCache:
    cdef dict _known
    cdef public Py_ssize_t limit

    @cython.locals(entry=tuple)
    cpdef tuple find(self, bytes host, double now)
    cpdef remember(self, bytes host, tuple addresses, double expires_at)
