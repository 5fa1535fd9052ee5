cdef class StreamFramer:
    cdef public object fault
    cdef public double partial_since
    cdef readonly bint has_more
    cdef readonly bint is_finished
    cdef object _limits
    cdef bytearray _buffer
    cdef Py_ssize_t _start
    cdef Py_ssize_t _scanned
    cdef Py_ssize_t _need

    cpdef list receive_bytes(self, bytes data, double now, Py_ssize_t messages_max=*)
    cdef _forget_taken(self)
    cdef _note_partial(self, bint has_taken, double now)
    cdef bytes _next_message(self)
    cdef bint _skip_line_ends(self) except -1
    cdef bint _find_length(self) except -1
    cdef Py_ssize_t _content_length(self, bytes head) except -1
    cdef _fault(self, int status, str reason, bytes head)
