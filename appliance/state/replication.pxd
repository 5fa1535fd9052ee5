cimport cython

from appliance.state.siblings cimport Sibling


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
    cdef readonly object _pull
    cdef double _portion_at
    cdef bint _is_in_sync
    cdef public long long malformed_count
    cdef public long long skipped_count
    cdef public long long pulled_count

    cpdef long long changed(self, bytes record) except -1
    @cython.locals(lowest='long long', sibling=Sibling)
    cpdef long long acknowledged(self) except -1
    @cython.locals(fresh=list, messages=list, is_portion_due=bint, sibling=Sibling)
    cpdef list messages_to_send(self, double now)
    @cython.locals(first='long long')
    cdef _send_changes(self, object worker, Sibling sibling, list fresh, list messages, double now)
    @cython.locals(due=double, sibling=Sibling)
    cpdef object next_timer(self)
    cdef bint _is_unsure(self, Sibling sibling) except -1
    @cython.locals(sibling=Sibling)
    cpdef handle_timers(self, double now)
    cdef _check_credit(self, object worker, Sibling sibling, double now)
