cimport cython

from appliance.sip.characters cimport number
from appliance.transport.flow cimport Flow

cdef int _ASKED


@cython.final
cdef class UnavailableHops:
    cdef dict _entries
    cdef public Py_ssize_t limit
    cdef public double longest_s
    cdef public double pause_s

    @cython.locals(seconds='long long')
    cpdef note(self, Flow hop, bytes retry_after, double now)
    cpdef note_failure(self, Flow hop, int why, double now)
    @cython.locals(key=tuple, entry=tuple)
    cpdef note_answer(self, Flow hop)
    cpdef bint has(self, Flow hop, double now) except -1
    cpdef bint is_failing(self, Flow hop, double now) except -1
    @cython.locals(failing=list, hop=Flow)
    cpdef list failing_last(self, list hops, double now)
    @cython.locals(key=tuple)
    cdef _put(self, Flow hop, double until, int why)
    @cython.locals(key=tuple, entry=tuple)
    cdef int _why(self, Flow hop, double now) except -2
