cdef tuple _LINES

cpdef bytes status_line(int status)
cpdef bytes reason_phrase(int status)
