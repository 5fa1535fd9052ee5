# Each turn asks it, and a turn may be one message.
cimport cython

from appliance.transport.flow cimport Outgoing
from appliance.workers.datagrams cimport DatagramSocket


cdef class DatagramSockets:
    cdef dict _sockets
    cdef dict _by_fd
    cdef set _wants_write
    cdef tuple _past
    cdef object _poll
    cdef DatagramSocket _only
    cdef readonly double delay_s
    cdef readonly object fenced

    cdef _note_only(self)
    @cython.locals(only=DatagramSocket)
    cpdef tuple read(self)
    cpdef list write(self, list outgoings)
    @cython.locals(outgoing=Outgoing)
    cdef bint _is_all_by(self, int listener, list outgoings) except -1
    @cython.locals(parcels=list, outgoing=Outgoing)
    cdef list _write(self, DatagramSocket door, list outgoings)
