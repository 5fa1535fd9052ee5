cdef class Reply:
    cdef public int status
    cdef public bytes reason
    cdef public tuple headers
    cdef public bint is_stateless
    cdef public long long after
