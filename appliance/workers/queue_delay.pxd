cdef class QueueDelay:
    cdef double _datagram_s
    cdef double _datagram_until
    cdef double _turn_s
    cdef double _turn_until
    cdef double _queue_s
    cdef double _queue_until

    cpdef note_datagram(self, double age_s, double now)
    cpdef note_turn(self, double turn_s, double now)
    cpdef note_queue(self, double waited_s, double now)
    cpdef double worst(self, double now)
