cimport cython

from appliance.proxy.branch cimport Branch
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Response


@cython.final
cdef class Role:
    cdef readonly tuple stages
    cdef readonly tuple response_stages
    cdef readonly tuple names
    cdef dict _positions


# `now` is an object here: it is made once, not for each stage.
cpdef object run_chain(tuple stages, RequestContext context, ProxyEnvironment node, object now)
cpdef object run_response_chain(tuple stages, Response response, Branch branch, ProxyEnvironment node, object now)
