cimport cython


@cython.final
cdef class Bucket:
    cdef public double tokens
    cdef public double filled_at
    cdef public double share
    cdef public long offered
    cdef public long exceeded
    cdef public long refused

    cpdef Bucket copy(self)


@cython.final
cdef class Limit:
    cdef public object settings
    cdef public bint spares_trusted
    cdef public dict buckets
    cdef dict _copied
    cdef public long passed
    cdef public long exceeded

    @cython.locals(bucket=Bucket, rate=double, depth=double)
    cpdef bint admits(self, str key, double part, double now) except -1
    @cython.locals(bucket=Bucket, copied=Bucket)
    cdef Bucket _bucket(self, str key, double part, double now)
    @cython.locals(bucket=Bucket)
    cdef list _asked(self)


@cython.final
cdef class RateLimits:
    cdef public double part
    cdef dict _limits
    cdef public tuple of_requests
    cdef public tuple of_registrations
