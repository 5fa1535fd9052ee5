# BindingChange has another name here: a cimported name would hide the one that Python code imports from this module.
cimport cython
from appliance.location.binding cimport Binding, BindingChange as Change
from appliance.location.record_version cimport second_of
from appliance.location.range_digests cimport Digests
from appliance.sip.fnv cimport fnv

cdef unsigned long long _SPREAD_NAME
cdef unsigned long long _SPREAD_VERSION
cdef unsigned long long _STIR_ONCE
cdef unsigned long long _STIR_AGAIN
cdef unsigned long long _HASH_BITS

@cython.final
cdef class BindingTable:
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t tombstones_max
    cdef public Py_ssize_t live
    cdef public long long lifetime_max_s
    cdef Digests _digests
    cdef Py_ssize_t _tombstones
    cdef list _ranges
    cdef dict _buckets
    cdef list _due
    cdef long long _clock
    cdef long long _swept
    cdef dict _shared
    cdef dict _stale_in
    cdef Py_ssize_t _stale
    @cython.locals(table=dict, only=Binding)
    cpdef list find(self, bytes aor, double wall_time, bytes instance=*)
    @cython.locals(table=dict)
    cpdef list entries(self, bytes aor)
    @cython.locals(changed=bint, binding=Binding)
    cpdef bint apply(self, Change change) except -1
    @cython.locals(place=int, table=dict, old=Binding, difference=cython.ulonglong, latest=double)
    cpdef bint apply_binding(self, Binding binding) except -1
    cdef _insert(self, int place, object held, Binding binding)
    cdef _refresh(self, Binding old, Binding new)
    cdef _share_texts(self, Binding binding)
    cdef _count(self, bint is_counted, int step)
    @cython.locals(at=double, second=cython.longlong, bucket=list)
    cdef _schedule(self, Binding binding)
    @cython.locals(now_second=cython.longlong, ended=Py_ssize_t, second=cython.longlong, bucket=list, binding=Binding, due=list)
    cpdef Py_ssize_t expire(self, double wall_time, Py_ssize_t limit)
    cdef _set_back(self, long long second)
    @cython.locals(left=cython.longlong, stale=Py_ssize_t, held=list, entry=Binding)
    cdef _leave(self, Binding binding, long long bucket)
    cdef Py_ssize_t _end(self, Binding binding, long long second)
    cdef _drop(self, int place, Binding binding)
    cdef _bound_tombstones(self, int place, Binding newest)
    cpdef list digests_at(self, long long second)
    cpdef list aors_of_range(self, int place)


cpdef int range_of(bytes aor) noexcept
@cython.locals(only=Binding, binding=Binding)
cdef Binding _with_key(object held, bytes key)
cdef long long _second_of(Binding binding) noexcept
cdef unsigned long long _hash(Binding binding) noexcept
@cython.locals(mixed=cython.ulonglong)
cdef unsigned long long _mixed(unsigned long long name, unsigned long long version) noexcept
