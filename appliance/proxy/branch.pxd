from appliance.proxy.node cimport Node
from appliance.sip.message cimport Request


cdef class Branch:
    cdef public object target
    cdef public object state
    cdef public object client
    cdef public object final
    cdef public Request request
    cdef object _user
    cdef Node _node
    cdef object _hop_uri
    cdef list _hops
    cdef Py_ssize_t _attempt
    cdef Py_ssize_t _breadth
    cdef object _timer
    cdef bint _wants_cancel
