cimport cython

from appliance.transport.flow cimport Outgoing
from appliance.workers.datagram_sockets cimport DatagramSockets
from appliance.workers.streams cimport Streams


cdef class Outbound:
    cdef object _stack
    cdef object _bus
    cdef DatagramSockets _doors
    cdef Streams _streams
    cdef object _windows
    cdef object _unreached
    cdef object _retry_later

    @cython.locals(outgoing=Outgoing, streamed=list)
    cpdef list send(self, list outgoings)
    cpdef list pass_on(self, object messages)
