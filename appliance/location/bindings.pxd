cimport cython
from appliance.location.digests cimport Digests
from appliance.transport.flow cimport Flow

cdef unsigned long long _SPREAD_NAME
cdef unsigned long long _SPREAD_VERSION
cdef unsigned long long _STIR_ONCE
cdef unsigned long long _STIR_AGAIN
cdef unsigned long long _HASH_BITS

@cython.final
cdef class Binding:
    cdef public bytes aor
    cdef public bytes key
    cdef public bytes uri
    cdef public bytes parameters
    cdef public bytes call_id
    cdef public bytes instance
    cdef public bytes user_agent
    cdef public bytes path_text
    cdef public str source_ip
    cdef public double expires_at
    cdef public double forget_at
    cdef public long long series
    cdef public long long version
    cdef public long long bucket
    cdef public unsigned int cseq
    cdef public unsigned int reg_id
    cdef public long connection
    cdef public short worker
    cdef public short listener
    cdef public short transport
    cdef public unsigned short source_port
    cdef public unsigned short q
    cdef public bint is_counted
    cpdef bint is_live(self, double wall_time)
    cpdef bint comes_after(self, Binding other)


@cython.locals(binding=Binding)
cpdef Binding new_binding(bytes aor, bytes key, bytes uri, bytes parameters, int q, double expires_at, double forget_at,
                          bytes call_id, unsigned int cseq, tuple path, bytes instance, unsigned int reg_id, Flow flow,
                          tuple source, bytes user_agent, long long series, long long version)

@cython.final
cdef class BindingChange:
    cdef public bytes aor
    cdef public tuple bindings


@cython.final
cdef class BindingTable:
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t tombstones_max
    cdef public Py_ssize_t live
    cdef Digests _digests
    cdef Py_ssize_t _tombstones
    cdef list _ranges
    cdef dict _buckets
    cdef list _due
    cdef long long _clock
    cdef long long _swept
    cdef dict _shared
    cpdef list find(self, bytes aor, double wall_time, bytes instance=*)
    cpdef list entries(self, bytes aor)
    cpdef bint apply(self, BindingChange change)
    @cython.locals(place=int, old=Binding, name=cython.ulonglong, difference=cython.ulonglong)
    cpdef bint apply_binding(self, Binding binding)
    cdef _insert(self, int place, object held, Binding binding)
    cdef _refresh(self, Binding old, Binding new)
    cdef _share_texts(self, Binding binding)
    cdef _count(self, bint is_counted, int step)
    @cython.locals(at=double, second=cython.longlong, bucket=list)
    cdef _schedule(self, Binding binding)
    @cython.locals(now_second=cython.longlong, ended=Py_ssize_t, second=cython.longlong, bucket=list, binding=Binding, due=list)
    cpdef Py_ssize_t expire(self, double wall_time, Py_ssize_t limit)
    cdef Py_ssize_t _end(self, Binding binding, long long second)
    cdef _drop(self, int place, Binding binding)
    cdef _bound_tombstones(self, int place, Binding newest)
    cpdef list digests_at(self, long long second)
    cpdef list aors_of_range(self, int place)


cpdef int range_of(bytes aor)
@cython.locals(binding=Binding)
cdef Binding _with_key(object held, bytes key)
cdef long long _second_of(Binding binding)
cdef unsigned long long _hash(Binding binding) except? 0
cdef unsigned long long _name_of(Binding binding) except? 0
@cython.locals(mixed=cython.ulonglong)
cdef unsigned long long _mixed(unsigned long long name, unsigned long long version) noexcept
