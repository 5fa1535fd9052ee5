cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext


@cython.final
cdef class Role:
    cdef readonly tuple stages
    cdef readonly tuple names
    cdef dict _positions


@cython.locals(count=Py_ssize_t)
cpdef object run_chain(tuple stages, RequestContext context, ProxyEnvironment node, double now)
