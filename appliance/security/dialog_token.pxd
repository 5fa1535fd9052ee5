cimport cython

from appliance.sip.characters cimport hex_of, is_all, long_hex_of
from appliance.sip.siphash cimport SipHash

cdef bytes HEX_DIGIT, _NOTHING


@cython.final
cdef class DialogTokens:
    cdef SipHash _seal
    cdef SipHash _way

    @cython.locals(body=bytes)
    cpdef bytes write(self, bytes ends, bytes parties, bytes way, bytes hop, long until_min, long flags)
    cpdef int flags_of(self, bytes token) except -2
    cpdef long until_of(self, bytes token) except -1
    cpdef bint is_own(self, bytes token, bytes ends) except -1
    cpdef bint leads(self, bytes token, bytes way) except -1
    cpdef bint went_to(self, bytes token, bytes hop) except -1
    cpdef bint is_between(self, bytes token, bytes parties) except -1
    cdef bytes _short(self, bytes text)
    cdef bytes _seal_of(self, bytes body, bytes ends)
