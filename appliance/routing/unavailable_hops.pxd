cimport cython

from appliance.sip.characters cimport number
from appliance.transport.flow cimport Flow


@cython.final
cdef class UnavailableHops:
    cdef dict _until
    cdef public Py_ssize_t limit
    cdef public double longest_s

    @cython.locals(seconds='long long', key=tuple)
    cpdef note(self, Flow hop, bytes retry_after, double now)
    @cython.locals(key=tuple)
    cpdef bint has(self, Flow hop, double now) except -1
