cimport cython
from appliance.location.binding_records cimport head_of
from appliance.location.registration_table cimport RegistrationTable


@cython.final
cdef class DictStore:
    cdef public dict records
    cdef public list due
    cdef public object changes
    cdef public long long last_seq
    cdef public long long position
    cdef public Py_ssize_t live
    cdef public Py_ssize_t tombstones
    cdef public bint is_locked
    cdef public bint is_full


cdef class DictTable(RegistrationTable):
    cdef public DictStore store
    cdef dict _before
    cdef list _logged
    cdef list _scheduled
    cdef list _taken
    cpdef bytes record_of(self, bytes aor)
    cpdef list changes_after(self, long long seq, Py_ssize_t limit)
    cpdef list _records_after(self, bytes after, bytes prefix, Py_ssize_t limit)
    cpdef tuple _counts(self)
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
    cdef bint _is_longer(self) except -1
    cdef _clean_due(self)
    cdef _forget_transaction(self)
