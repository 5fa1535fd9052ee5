cimport cython


@cython.final
cdef class ProxyRules:
    cdef readonly str fork
    cdef readonly Py_ssize_t targets_max
    cdef readonly int max_forwards
    cdef readonly bint record_route
    cdef readonly bint recurse_on_redirect
