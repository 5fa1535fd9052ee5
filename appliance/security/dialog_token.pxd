cimport cython

from appliance.sip.characters cimport hex_number, is_all, long_hex_of
from appliance.sip.siphash cimport SipHash

cdef bytes LOWER_HEX_DIGIT
cdef Py_ssize_t _UNTIL, _WAY, _HOP, _PARTIES, _SEAL, _END


@cython.final
cdef class DialogTokens:
    cdef SipHash _seal
    cdef SipHash _way

    @cython.locals(start='unsigned int', hop_digest='unsigned int', parties_digest='unsigned int', body=bytes)
    cpdef bytes write(self, bytes ends, bytes parties, bytes way, bytes hop, long until_min, long flags)
    cpdef int flags_of(self, bytes token) except -2
    cpdef long until_of(self, bytes token) except -1
    cpdef bint is_own(self, bytes token, bytes ends) except -1
    cpdef bint leads(self, bytes token, bytes way) except -1
    cpdef bint went_to(self, bytes token, bytes hop) except -1
    cpdef bint is_between(self, bytes token, bytes parties) except -1
    cdef unsigned int _short(self, bytes text) except? 0
    cdef unsigned long long _seal_of(self, bytes body, bytes ends) except? 0
