cimport cython

from appliance.sip.characters cimport hex_of, long_hex_of
from appliance.sip.siphash cimport SipHash


@cython.final
cdef class DialogTokens:
    cdef SipHash _seal
    cdef SipHash _way

    @cython.locals(body=bytes)
    cpdef bytes write(self, bytes call_id, bytes to_tag, bytes from_tag, bytes way, long until_min)
    cpdef bytes rewrite(self, bytes token, bytes call_id, bytes to_tag, bytes from_tag, bytes way)
    cpdef bint is_own(self, bytes token, bytes call_id, bytes to_tag, bytes from_tag) except -1
    cpdef bint admits(self, bytes token, bytes call_id, bytes to_tag, bytes from_tag, bytes way, long minute) except -1
    cdef bytes _seal_of(self, bytes body, bytes call_id, bytes to_tag, bytes from_tag)
