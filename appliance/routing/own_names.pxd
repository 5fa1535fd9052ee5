cdef class OwnNames:
    cdef frozenset _domains
    cdef dict _listeners
    cdef frozenset _hosts
    cdef public bytes realm
    cdef public list sent_bys
