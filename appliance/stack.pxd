cdef class Stack:
    cdef public list counters
    cdef int _worker
    cdef object _syntax
    cdef object _seed
    cdef bytes _owners
    cdef bint _is_shared
    cdef list _siblings
    cdef object _connections
    cdef object _transactions
    cdef object _bindings
    cdef public object binding_records
    cdef object _replica
    cdef object _node
    cdef object _proxy
    cdef list _records
    cdef list _messages
    cdef double _expiry_at
