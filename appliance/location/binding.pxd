cimport cython
from appliance.location.record_version cimport made_at
from appliance.transport.flow cimport Flow


cdef int NO_PROCESS

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
    cdef public unsigned long long series
    cdef public unsigned long long version
    cdef public long long bucket
    cdef public unsigned int cseq
    cdef public unsigned int reg_id
    cdef public long connection
    cdef public int process
    cdef public short listener
    cdef public short transport
    cdef public unsigned short source_port
    cdef public unsigned short q
    cdef public bint is_counted
    cpdef bint is_live(self, double wall_time)
    cpdef double made_at(self)
    cpdef bint comes_after(self, Binding other)
    cdef tuple _content(self)


@cython.locals(binding=Binding)
cpdef Binding new_binding(bytes aor, bytes key, bytes uri, bytes parameters, int q, double expires_at, double forget_at,
                          bytes call_id, unsigned int cseq, tuple path, bytes instance, unsigned int reg_id, Flow flow,
                          tuple source, bytes user_agent, unsigned long long series,
                          unsigned long long version)

@cython.final
cdef class BindingChange:
    cdef public bytes aor
    cdef public tuple bindings
