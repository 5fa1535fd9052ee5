cimport cython

from appliance.proxy.stage_results cimport Reply


@cython.final
cdef class FailedLookups:
    cdef list _counters
    cdef public Py_ssize_t limit
    cdef dict _refused

    cpdef remember(self, bytes key, Reply refusal, double now, double lasts_s)
    cpdef Reply refusal_of(self, bytes key, double now)
    cdef _expire(self, double now)
