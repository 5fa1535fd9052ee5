cimport cython

from appliance.transport.flow cimport Flow, Outgoing
from appliance.workers.answers_due cimport is_final, wants_answer
from appliance.workers.connection_ages cimport ConnectionAges
from appliance.workers.connection_sources cimport ConnectionSources, is_proof
from appliance.workers.stream_reading cimport StreamReading


cdef class Streams:
    cdef readonly int process
    cdef readonly object syntax
    cdef readonly object handshakes
    cdef public Py_ssize_t descriptors_max
    cdef public list failures
    cdef readonly bint has_changes
    cdef readonly bytearray read_buffer
    cdef readonly StreamReading reading
    cdef readonly object data_arrived
    cdef list _opened
    cdef list _closed
    cdef tuple _listeners
    cdef list _peers
    cdef object _limits
    cdef list _counters
    cdef long long _next_id
    cdef public object _arrived
    cdef object _changed
    cdef object _accepting
    cdef readonly dict _connections
    cdef dict _by_remote
    cdef object _opening
    cdef list _with_unsent
    cdef ConnectionSources _sources
    cdef readonly ConnectionAges _ages
    cdef object _refusals

    @cython.locals(pings=Py_ssize_t, flow=Flow, message=bytes)
    cpdef messages_arrived(self, object connection, list messages, double now)
    cpdef list take_failures(self)
    @cython.locals(outgoing=Outgoing)
    cpdef send(self, list outgoings)
    @cython.locals(number=long)
    cdef _send(self, Outgoing outgoing)
    cdef _send_by(self, object connection, Outgoing outgoing)
    @cython.locals(outgoing=Outgoing, outgoings=list)
    cdef _write_unsent(self)
    @cython.locals(outgoing=Outgoing)
    cdef _note_answers(self, object connection, list outgoings)
    @cython.locals(unread_max=Py_ssize_t)
    cpdef bint keeps(self, object connection, Py_ssize_t unread_len) except -1
