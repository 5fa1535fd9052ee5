cimport cython

from appliance.routing.kept_answers cimport KeptAnswers


@cython.locals(text=bytes)
cpdef str literal_address(bytes host)
@cython.locals(dots=cython.int, digits=cython.int, number=cython.int, octet=cython.uchar)
cpdef bint is_dotted_quad(bytes host) except -1
cpdef bint is_unicast(str address) except -1


@cython.final
cdef class HostCache(KeptAnswers):
    cdef dict _literals

    @cython.locals(address=str)
    cpdef str literal(self, bytes host)
    @cython.locals(other=HostCache)
    cpdef HostCache without_effects(self)
