cdef class NextHops:
    cdef object _hosts
    cdef tuple _listeners

    cdef Py_ssize_t _listener_for(self, int transport, bint is_ipv6, Py_ssize_t preferred)
    cdef bint _serves(self, Py_ssize_t number, int transport, bint is_ipv6)
