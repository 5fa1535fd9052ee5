# Each turn that changes registrations asks it, and a turn may be one message.
cimport cython

from appliance.storage.journal_segment cimport Segment
from appliance.messages.record_frames cimport frame


cdef class Journal:
    cdef object _folder
    cdef int _number
    cdef int _workers
    cdef object _incarnation
    cdef object _table
    cdef readonly object _fsync_thread
    cdef long long _segment_octets
    cdef double _cycle_scheduler
    cdef Segment _newest
    cdef int _serial
    cdef list _backlog
    cdef long long _backlog_octets
    cdef bint _must_rewrite
    cdef object _rewriting
    cdef double _retry_at
    cdef readonly object _cleaner
    cdef double _stepped_at
    cdef double _wall_time
    cdef bint _is_behind
    cdef str _fault
    cdef public long long failed_count
    cdef list _remarks

    cdef double _forget_at(self, bytes record) except? -1
    @cython.locals(record=bytes, frames=list, forget_at=double)
    cpdef append(self, list records)
    @cython.locals(newest=Segment)
    cdef bint _put(self, bytes data, double forget_at) except -1
    cdef _catch_up(self, long long octets)
    cdef Segment _open_segment(self)
