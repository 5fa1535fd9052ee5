from appliance.transport.flow cimport Flow


cdef class NodeConnections:
    cdef int _process
    cdef tuple _names
    cdef object _is_linked
    cdef dict _held
    cdef dict _by_way
    cdef Py_ssize_t _count
    cdef dict _changes
    cdef double _list_at
    cdef object _lost

    cpdef bint is_of_other_node(self, int process) except -1
    cpdef bint can_reach(self, int process) except -1
