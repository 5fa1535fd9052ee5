cimport cython

from appliance.routing.target_set cimport SearchPolicy
from appliance.transport.flow cimport Flow


@cython.final
cdef class ListenerRules:
    cdef readonly str name
    cdef readonly str role
    cdef readonly bint assert_identity
    cdef readonly bint authenticate
    cdef readonly str relay
    cdef readonly object peers

    cpdef bint is_peer(self, Flow flow) except -1


@cython.final
cdef class ProxyRules:
    cdef readonly double dialog_lifetime_s
    cdef readonly double hop_timeout_s
    cdef readonly long flow_timer_s
    cdef readonly str path_policy
    cdef readonly SearchPolicy search
    cdef readonly int max_forwards
    cdef readonly bint record_route
    cdef readonly bint recurse_on_redirect


@cython.final
cdef class DigestRules:
    cdef readonly bint bind_source
    cdef readonly bint check_uri
    cdef readonly tuple algorithms
    cdef dict _challenges

    @cython.locals(parts=list, before=bytes, after=bytes)
    cpdef tuple challenge(self, bytes realm, bytes nonce, bint is_register, bint is_stale)
