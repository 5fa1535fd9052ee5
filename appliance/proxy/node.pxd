cdef class Node:
    cdef public object settings
    cdef public int worker
    cdef public list counters
    cdef public object transactions
    cdef public object bindings
    cdef public object publish
    cdef public object keys
    cdef public object names
    cdef public object hosts
    cdef public object next_hops
    cdef public object subscribers
    cdef public object inquiries
    cdef public object nonces
    cdef public dict changed_calls
    cdef public double wall_offset_s
