cimport cython
from appliance.location.binding_records cimport aor_of
from appliance.location.registration_table cimport RegistrationTable, StagedAddress


cdef class SharedTable(RegistrationTable):
    cdef public object store
    cdef public double lock_wait_max_s
    cdef public long long size_max
    cdef public object replication
    cdef object _unacknowledged
    cdef long long _acknowledged
    cdef object _environment
    cdef object _lock
    cdef object _registrations
    cdef object _due
    cdef object _changes
    cdef object _facts
    cdef object _transaction
    cdef long long _seq
    cdef _open(self, object store)
    cpdef move_to(self, str directory)
    cpdef bytes record_of(self, bytes aor)
    cpdef list records_of(self, list aors)
    cpdef list changes_after(self, long long seq, Py_ssize_t limit)
    cdef tuple _ends_of_log(self)
    cdef list _page(self, bytes after_key, bytes prefix, Py_ssize_t limit)
    cpdef list _records_after(self, bytes after, bytes prefix, Py_ssize_t limit)
    cpdef tuple _counts(self)
    cdef bytes _fact(self, bytes name)
    cdef object _begin_reading(self)
    cpdef bint commit(self) except -1
    @cython.locals(seq="long long", committed="long long")
    cpdef long long acknowledged(self)
    cpdef Py_ssize_t after_pass(self, long long seq, double wall_time, Py_ssize_t limit) except? -1
    cpdef Py_ssize_t load(self, list records, bint is_logged=*) except? -1
    cpdef bint _write(self, list changes) except -1
    cdef _grow(self, object fault)
    cdef str _no_room(self)
    cdef long long _greatest_size(self) except -1
    cpdef bytes _key(self, bytes aor)
    cpdef bint _begin(self) except -1
    cdef bint _await_lock(self) except -1
    cpdef _end(self)
    cpdef _abandon(self)
    cdef _forget_transaction(self)
    cpdef bytes _get(self, bytes key)
    cpdef _put(self, bytes key, bytes record)
    cpdef _remove(self, bytes key)
    cpdef _put_due(self, long long second, bytes key)
    cpdef _remove_due(self, long long second, bytes key)
    @cython.locals(due="long long", entry=bytes, entries=list)
    cpdef list _due_until(self, long long second, Py_ssize_t limit)
    cpdef _append_to_log(self, bytes aor)
    cpdef _note_position(self, long long seq)
    cdef _trim(self, long long seq)
