cimport cython

from appliance.routing.contact_policy cimport is_next_hop
from appliance.routing.targets cimport Target, next_group


@cython.final
cdef class SearchPolicy:
    cdef readonly str fork
    cdef readonly Py_ssize_t targets_max
    cdef readonly double group_time_s


@cython.final
cdef class TargetSet:
    cdef readonly list waiting
    cdef readonly list known
    cdef readonly bint is_closed
    cdef SearchPolicy _policy
    cdef long _breadth
    cdef bint _is_spiral

    cpdef bint open(self) except -1
    cpdef resume(self, list waiting, list known, bint is_closed)
    cpdef close(self)
    @cython.locals(group=list)
    cpdef list next_group(self)
    cpdef double group_time(self) except -1
    @cython.locals(spare=Target)
    cpdef Target after_failure(self, Target failed, int status, bint is_received)
    cpdef bint has_had(self, Target target) except -1
    cpdef bint add(self, Target target, Target redirected) except -1
    cdef bint _is_any_group_too_broad(self) except -1
    @cython.locals(count=Py_ssize_t, waiting=Target)
    cdef Py_ssize_t _len_beside(self, Target target) except -1


@cython.locals(count=long, index=long, target=Target)
cpdef deal_breadth(long breadth, list targets)
