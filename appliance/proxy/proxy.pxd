from appliance.proxy.node cimport Node


cdef class Proxy:
    cdef Node _node
    cdef list _stages
    cdef public object early
    cdef public object held
