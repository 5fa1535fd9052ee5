cimport cython



@cython.final
cdef class KeptAnswer:
    cdef readonly tuple values
    cdef readonly double expires_at
    cdef double refresh_at
    cdef readonly double kept_until
    cdef readonly bint is_failing
    cdef bint is_due


cdef class KeptAnswers:
    cdef dict _known
    cdef list _due
    cdef Py_ssize_t _due_max
    cdef double _stale_s
    cdef double _ttl_max_s
    cdef public Py_ssize_t limit

    @cython.locals(answer=KeptAnswer)
    cpdef tuple find(self, bytes name, double now)
    cpdef store(self, bytes name, tuple values, double ttl_s, double now)
    @cython.locals(answer=KeptAnswer)
    cpdef tuple outlive(self, bytes name, double now)
    cpdef list take_due(self)
    cpdef share_with(self, KeptAnswers other)
