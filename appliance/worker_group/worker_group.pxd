cimport cython

from appliance.worker_group.connection_directory cimport ConnectionDirectory
from appliance.worker_group.slot_ownership cimport SlotOwnership
from appliance.transport.flow cimport Flow, Outgoing

cdef int NO_PROCESS
cdef Py_ssize_t ADDRESS_OWNER_UNREACHED, HANDED_OVER, SENT_BY_NODE, SENT_ON


@cython.final
cdef class WorkerGroup:
    cdef readonly SlotOwnership slot_ownership
    cdef readonly ConnectionDirectory connections
    cdef list _counters
    cdef list _messages
    cdef int _replicator

    @cython.locals(owner=int)
    cpdef bint hand_over(self, bytes data, Flow flow, bytes call_id) except -1
    cpdef bint direct(self, Outgoing outgoing) except -1
    cpdef list messages_to_send(self, double now)
