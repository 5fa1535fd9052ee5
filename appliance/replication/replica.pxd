cimport cython

from appliance.replication.reconciliation cimport Reconciliation
from appliance.replication.replication_link cimport ReplicationLink


cdef class Replica:
    cdef int _worker
    cdef object _table
    cdef double _lag_s
    cdef dict _siblings
    cdef long long _seq
    cdef long long _acknowledged
    cdef list _fresh
    cdef double _changes_at
    cdef list _outbox
    cdef Reconciliation _reconciliation
    cdef public long long malformed_count
    cdef public long long skipped_count
    cdef public long long pulled_count

    cpdef long long changed(self, bytes record) except -1
    @cython.locals(lowest='long long', sibling=ReplicationLink)
    cpdef long long acknowledged(self) except -1
    @cython.locals(new_count='long long')
    cdef long long _apply(self, object records) except -1
    @cython.locals(messages=list, sibling=ReplicationLink)
    cpdef list messages_to_send(self, double now)
    @cython.locals(fresh=list, messages=list, sibling=ReplicationLink)
    cdef _send_changes(self, double now)
    @cython.locals(due=double, sibling=ReplicationLink)
    cpdef object next_timer(self)
    @cython.locals(sibling=ReplicationLink)
    cpdef handle_timers(self, double now)
