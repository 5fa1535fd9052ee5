cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext


@cython.locals(count=Py_ssize_t)
cpdef object run_chain(tuple stages, RequestContext context, Node node, double now)
