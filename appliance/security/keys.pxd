cimport cython

from appliance.sip.characters cimport digits_of, hex_of, long_hex_of
from appliance.sip.fnv cimport fnv
from appliance.sip.message cimport Request
from appliance.sip.siphash cimport SipHash
from appliance.sip.via cimport Via
from appliance.transaction.keys cimport has_cookie
from appliance.transport.via cimport response_destination

cdef int ROUTE


@cython.final
cdef class Keys:
    cdef SipHash _branch
    cdef SipHash _other_branch
    cdef SipHash _tag
    cdef readonly bytes refusal_mark
    cdef readonly SipHash servers

    @cython.locals(target_part=bytes)
    cpdef bytes branch(self, bytes upstream, bytes target, bytes loop_part, long period)
    cpdef bint is_own_branch(self, bytes branch, bytes upstream, long period) except -1
    cpdef bytes to_tag(self, bytes upstream, bytes call_id)
    cpdef bint is_own_tag(self, bytes tag, bytes upstream, bytes call_id) except -1
    cpdef bytes refusal_tag(self, bytes top_via, bytes call_id)
    cpdef bytes fault_tag(self, Request request)

cpdef long period_of(double wall_time) except -1
@cython.locals(when=long)
cdef bint _is_sealed_by(SipHash key, bytes branch, bytes upstream, long period) except -1
cdef SipHash _seal_for(bytes purpose, bytes key)
@cython.locals(transport=int, port=int, host=bytes)
cpdef bytes upstream_of_via(Via via)
@cython.locals(via=Via)
cpdef bytes upstream_key(Request request)
@cython.locals(parts=list, cseq=bytes)
cpdef bytes loop_part_for(Request request, bytes destination)
cpdef bytes loop_part_of(bytes branch)
