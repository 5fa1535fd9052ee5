cdef class TableStore:
    cdef Py_ssize_t _live_step
    cdef Py_ssize_t _dead_step
    cpdef bytes record_of(self, bytes aor)
    cpdef list records_of(self, list aors)
    cpdef list _records_after(self, bytes after, bytes prefix, Py_ssize_t limit)
    cpdef tuple _counts(self)
    cpdef bytes _key(self, bytes aor)
    cpdef bint _begin(self) except -1
    cpdef _end(self)
    cpdef _abandon(self)
    cpdef bytes _get(self, bytes key)
    cpdef _put(self, bytes key, bytes record)
    cpdef _remove(self, bytes key)
    cpdef _put_due(self, long long second, bytes key)
    cpdef _remove_due(self, long long second, bytes key)
    cpdef list _due_until(self, long long second, Py_ssize_t limit)
    cpdef _append_to_log(self, bytes aor)
    cpdef _note_position(self, long long seq)
    cpdef list changes_after(self, long long seq, Py_ssize_t limit)
