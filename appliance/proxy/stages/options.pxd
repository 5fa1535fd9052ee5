cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri


@cython.locals(request=Request, uri=Uri)
cpdef object answer_options(RequestContext context, Node node, double now)
