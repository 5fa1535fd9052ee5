cimport cython


cdef class StreamReading:
    cdef readonly double delay_s
    cdef object _arrived
    cdef object _call_soon
    cdef object _waiting
    cdef Py_ssize_t _messages_left
    cdef Py_ssize_t _octets_left
    cdef bint _is_turn_due

    cpdef receive(self, object connection, bytes data, double now)
    cdef Py_ssize_t _allowed(self)
    @cython.locals(messages=list, message=bytes)
    cdef _take(self, object connection, bytes data, Py_ssize_t messages_max, double now)
    cdef _go_on(self, object connection, double now)
    cdef _turn_soon(self)
    @cython.locals(now=double)
    cpdef _begin_turn(self)
