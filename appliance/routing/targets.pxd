cdef class Target:
    cdef public object uri
    cdef public bytes uri_text
    cdef public int q
    cdef public tuple path
    cdef public object flow
