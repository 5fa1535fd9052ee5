cimport cython

from appliance.sip.characters cimport hex_of, long_hex_of
from appliance.sip.siphash cimport SipHash


cdef class Nonces:
    cdef SipHash _seal
    cdef SipHash _salt
    cdef SipHash _mark
    cdef bytes _process
    cdef object _counts
    cdef long long _lifetime
    cdef long long _issued_last
    cdef public long long forgotten_count

    @cython.locals(other=Nonces)
    cpdef Nonces without_effects(self)
    cpdef bytes issue(self, bytes source, double now)
    cdef bytes _sealed(self, bytes text, bytes source)
    cpdef bint is_fresh(self, bytes nonce, bytes source, double now) except -1
    cpdef bint use(self, bytes nonce, long long count, double now) except -1

cdef SipHash _keyed(bytes purpose, bytes key, bytes boot)
