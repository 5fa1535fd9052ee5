cimport cython

from appliance.location.binding cimport Binding, new_binding
from appliance.location.record_version cimport next_version
from appliance.sip.message cimport Request
from appliance.transport.flow cimport Flow

cdef int PATH, SUPPORTED, USER_AGENT, VIA


@cython.final
cdef class Rules:
    cdef readonly long long expires_min_s
    cdef readonly long long expires_default_s
    cdef readonly long long expires_max_s
    cdef readonly Py_ssize_t contacts_max
    cdef readonly bint own_contacts
    cdef readonly long long flow_timer_s


@cython.final
cdef class Registration:
    cdef public Request request
    cdef public bytes aor
    cdef public bytes address
    cdef public double date_offset_s
    cdef public list entries
    cdef public Rules rules
    cdef public Flow flow
    cdef public tuple source
    cdef public double wall_time
    cdef public int node
    cdef public bytes call_id
    cdef public unsigned int cseq
    cdef public list supported
    cdef public tuple path
    cdef public bytes user_agent
    cdef public list pending
    cdef public bint is_first_hop
    cdef public bint uses_outbound
    cdef public object own
    cdef public object temporary_gruus
    cpdef bint is_measure(self, Binding old)
    cpdef bint is_in_order(self, Binding old)
    cpdef bint is_repetition(self, Binding old, bytes uri, bytes parameters, int q, long long expires_s)
    @cython.locals(version=cython.ulonglong, series=cython.ulonglong, forget_at=double, binding=Binding, other=Binding,
                   index=Py_ssize_t)
    cpdef add(self, Binding old, bytes key, bytes uri, bytes parameters, int q, double expires_at, bytes instance, unsigned int reg_id, Flow flow)
    @cython.locals(is_live=bint, series=cython.ulonglong, newest=Binding, other=Binding)
    cdef unsigned long long _series(self, Binding old, unsigned long long version, bytes instance, unsigned int reg_id) except? 0
    @cython.locals(entry=Binding, binding=Binding)
    cpdef list tentative(self)
    @cython.locals(entry=Binding)
    cpdef Binding stored(self, bytes key)
    cpdef bytes unused_key(self, bytes uri)
    @cython.locals(binding=Binding)
    cpdef drop(self, bytes key)
    @cython.locals(binding=Binding, old=Binding)
    cpdef list bindings_after(self)


@cython.locals(registration=Registration)
cpdef Registration begin_registration(Request request, bytes aor, list entries, Rules rules, Flow flow, tuple source,
                                       double wall_time, int node, object own)
