cimport cython

cdef dict _NUMBERS
cdef Py_ssize_t _OTHER, _SPAN, _SENT, _RECEIVED_AGAIN, _SENT_AGAIN, _METHOD_LEN_MAX, _STATUS_AT
cdef bytes _RESPONSE, _CSEQ
cdef Py_ssize_t _CSEQ_LEN
cdef unsigned char _CR, _SPACE, _ZERO, _NINE


cdef class TrafficCounts:
    cdef list _counts
    cdef list _used

    @cython.locals(number=Py_ssize_t)
    cpdef request_received(self, bytes method)
    cpdef response_received(self, bytes method, int status)
    @cython.locals(place=Py_ssize_t)
    cpdef bint sent(self, bytes data) except -1
    cpdef request_received_again(self, bytes method)
    cpdef sent_again(self, bytes data)
    cdef _count(self, Py_ssize_t place)

@cython.locals(status=int)
cdef Py_ssize_t _place_of(bytes data) except -1
@cython.locals(start=Py_ssize_t, end=Py_ssize_t)
cdef bytes _method_of(bytes response)
@cython.locals(end=Py_ssize_t, limit=Py_ssize_t)
cdef Py_ssize_t _word_end(bytes data, Py_ssize_t start) except -1
