cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri


@cython.locals(request=Request, uri=Uri)
cpdef object answer_options(RequestContext context, ProxyEnvironment node, double now)
