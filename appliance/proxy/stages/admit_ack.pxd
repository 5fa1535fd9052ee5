cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request


@cython.locals(request=Request)
cpdef object admit_ack(RequestContext context, ProxyEnvironment node, double now)
