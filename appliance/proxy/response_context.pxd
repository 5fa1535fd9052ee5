from appliance.proxy.node cimport Node


cdef class ResponseContext:
    cdef public object request_context
    cdef public object server
    cdef public bint is_invite
    cdef Node _node
    cdef list _targets
    cdef set _seen
    cdef list _branches
    cdef Py_ssize_t _breadth
    cdef bint _is_decided
    cdef bint _is_final_sent
    cdef bytes _key
