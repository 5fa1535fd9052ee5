cdef class Nonces:
    cdef bytes _key
    cdef bytes _worker
    cdef Py_ssize_t _limit
    cdef long long _lifetime
    cdef dict _seen
    cdef long long _horizon
    cdef long long _issued_last
    cdef public long long evicted_count

    cpdef bytes issue(self, double now)
    cdef bytes _sealed(self, bytes text)
    cpdef object state_of(self, bytes nonce, double now)
    cpdef bint use(self, bytes nonce, object count) except -1
    cdef _remember(self, bytes nonce, object highest, object window)
    cdef _evict(self)
