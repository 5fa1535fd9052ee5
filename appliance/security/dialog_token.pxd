cimport cython

from appliance.sip.characters cimport hex_number, is_all, long_hex_of
from appliance.sip.siphash cimport SipHash

cdef bytes LOWER_HEX_DIGIT
cdef Py_ssize_t _UNTIL, _WAY, _HOP, _PARTIES, _SEAL, _END
cdef long _MARK_SHIFT, _OF_PEER_SHIFT, _MINUTES, _HALF, _FLAGS


@cython.final
cdef class TokenDigests:
    cdef SipHash _seal
    cdef SipHash _way

    cdef unsigned long long of_way(self, bytes way) except? 0
    cdef unsigned int short(self, bytes text) except? 0
    cdef unsigned long long seal_of(self, bytes body, bytes ends) except? 0


@cython.final
cdef class DialogTokens:
    cdef long _mark
    cdef long _other_mark
    cdef TokenDigests _own
    cdef TokenDigests _other

    @cython.locals(start='unsigned int', of_peer='unsigned int', last='unsigned int', hop_digest='unsigned int', parties_digest='unsigned int', body=bytes, own=TokenDigests)
    cpdef bytes write(self, bytes ends, bytes parties, bytes way, bytes hop, long until_min, long flags)
    cpdef int flags_of(self, bytes token) except -2
    cpdef long until_of(self, bytes token) except -1
    cpdef bint is_over(self, bytes token, long minute) except -1
    @cython.locals(mark=long)
    cpdef bint is_own(self, bytes token, bytes ends) except -1
    cpdef bint leads(self, bytes token, bytes way) except -1
    cpdef bint went_to(self, bytes token, bytes hop) except -1
    cpdef bint is_between(self, bytes token, bytes parties) except -1
    cdef TokenDigests _digests_of(self, bytes token)
