cimport cython

from appliance.transport.flow cimport Flow


@cython.final
cdef class ContactPolicy:
    cdef readonly bint is_confined
    cdef tuple _networks
    cdef tuple _domains
    cdef list _is_on_loopback
    cdef frozenset _own
    cdef frozenset _ports
    cdef object _peers
    cdef readonly object marks

    @cython.locals(hop=Flow)
    cpdef list passable(self, list hops, int origin, int way_in)
    @cython.locals(remote=tuple, address=str, is_here=bint)
    cdef bint _is_barred(self, Flow hop, int origin, int way_in) except -1
    cdef bint _is_trusting(self, str address, int port) except -1

cpdef bint is_loopback(str address) except -1
cpdef str plain_address(str address)
cpdef bint is_foreign(int origin) except -1
cpdef bint is_next_hop(int origin) except -1
