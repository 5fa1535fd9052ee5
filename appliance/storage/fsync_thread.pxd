cdef class FsyncThread:
    cdef public double interval_s
    cdef object _condition
    cdef dict _files
    cdef list _released
    cdef object _closing
    cdef readonly object _thread
    cdef long long _requested
    cdef public long long completed
    cdef public str fault

    cpdef long long request(self, int fd) except -1
