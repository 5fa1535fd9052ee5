cimport cython
from appliance.location.binding cimport Binding, BindingChange
from appliance.location.binding_records cimport aor_of, decode_address, forget_at_of, head_of, next_event_of, second_after, with_due
from appliance.location.address_entries cimport merged, preferred, record_made, spares_of
from appliance.location.table_store cimport TableStore


@cython.final
cdef class StagedAddress:
    cdef public bytes aor
    cdef public bytes key
    cdef public bytes base
    cdef public bytes record
    cdef public list entries
    cdef public list changed
    cdef public list numbers
    cdef public Py_ssize_t live
    cdef public Py_ssize_t dead


cdef class RegistrationTable(TableStore):
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t tombstones_max
    cdef public Py_ssize_t staged_max
    cdef public Py_ssize_t changes_max
    cdef public Py_ssize_t changes_kept
    cdef public long long lifetime_max_s
    cdef public double clock
    cdef public str fault
    cdef dict _staged
    cdef Py_ssize_t _staged_live
    cdef Py_ssize_t _staged_dead
    cdef long long _number
    cdef long long _committed
    cdef dict _refused
    cdef bytes _read_aor
    cdef bytes _read_record
    cdef list _read_entries
    @cython.locals(staged=StagedAddress)
    cpdef list entries(self, bytes aor)
    @cython.locals(found=list, binding=Binding)
    cpdef list find(self, bytes aor, double wall_time, bytes instance=*)
    cpdef list others_of_instance(self, Binding binding, double wall_time)
    @cython.locals(staged=StagedAddress, binding=Binding)
    cdef list _live(self, bytes aor, double wall_time)
    cdef _read(self, bytes aor)
    cpdef list page(self, bytes after, bytes prefix, Py_ssize_t limit)
    @cython.locals(aor=bytes, staged=StagedAddress, binding=Binding, changed=list, entries=list)
    cpdef long long apply(self, BindingChange change) except? -1
    @cython.locals(live=Py_ssize_t, dead=Py_ssize_t, live_now=Py_ssize_t, dead_now=Py_ssize_t)
    cdef _stage(self, StagedAddress staged)
    cdef _bound_lifetime(self, Binding binding)
    cdef bint _is_too_late(self, double forget_at)
    cpdef bint commit(self) except -1
    cdef bint _write_singly(self, list changes) except -1
    cpdef long long committed(self)
    cpdef long long acknowledged(self)
    cpdef bint is_refused(self, long long number)
    @cython.locals(staged=StagedAddress)
    cpdef bint _write(self, list changes) except -1
    @cython.locals(stored=bytes, changed=list, entries=list, record=bytes)
    cdef _write_one(self, StagedAddress staged)
    cdef _replace(self, bytes key, bytes aor, bytes old, bytes new)
    @cython.locals(old_live=Py_ssize_t, old_dead=Py_ssize_t, live=Py_ssize_t, dead=Py_ssize_t, due="long long", old_due="long long")
    cdef _exchange(self, bytes key, bytes old, bytes new)
    @cython.locals(changed=Py_ssize_t, record=bytes)
    cpdef Py_ssize_t load(self, list records, bint is_logged=*) except? -1
    @cython.locals(aor=bytes, key=bytes, stored=bytes, bindings=list, binding=Binding, changed=list, entries=list)
    cdef Py_ssize_t _load_one(self, bytes record, bint is_logged) except -1
    cdef _take(self, bytes key, bytes aor, bytes old, bytes new, bint is_logged)
    cpdef Py_ssize_t after_pass(self, long long seq, double wall_time, Py_ssize_t limit) except? -1
    cpdef Py_ssize_t expire(self, double wall_time, Py_ssize_t limit) except? -1
    @cython.locals(now_second="long long", event="long long", ended=Py_ssize_t, record=bytes)
    cpdef Py_ssize_t _sweep(self, double wall_time, Py_ssize_t limit) except -1
    @cython.locals(ended=Py_ssize_t, binding=Binding, kept=list, aor=bytes)
    cdef Py_ssize_t _end_bindings(self, bytes key, bytes record, long long now_second) except -1


cdef list _decoded(bytes record, double alive_at=*)
