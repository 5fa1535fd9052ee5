cpdef bint is_proof(bytes data) except -1


cdef class ConnectionSources:
    cdef dict _counts
    cdef object _unproven
    cdef dict _unproven_of

    cpdef touch(self, object connection, double now)
