cdef class SubscriberCache:
    cdef dict _known
    cdef double _lifetime_s
    cdef Py_ssize_t _limit

    cpdef object find(self, bytes username, bytes realm, double now)
    cpdef remember(self, bytes username, bytes realm, bint found, bytes ha1_md5, bytes ha1_sha256, double now)
