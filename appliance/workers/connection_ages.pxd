cdef class ConnectionAges:
    cdef readonly object _silent
    cdef readonly object _quiet
    cdef readonly object _pinged
    cdef readonly object _strange
    cdef readonly object _partial
    cdef readonly object _ending
    cdef readonly object _answering

    cpdef octets_arrived(self, object connection, double now)
    cdef _leave_open(self, object connection)
