cdef class Outputs:
    cdef readonly list outgoings
    cdef readonly list snapshots
    cdef readonly list messages
    cdef readonly list questions
    cdef readonly double due
    cdef readonly object events
    cdef readonly list copies
