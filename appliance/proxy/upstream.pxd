cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.forwarding cimport add_length
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request, Response
from appliance.sip.writer cimport write, write_response
from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.via cimport pop_via


@cython.locals(server=ServerTransaction)
cpdef send_up(Response response, RequestContext context, ProxyEnvironment node, double now)
cpdef send_best(list finals, RequestContext context, ProxyEnvironment node, double now)
@cython.locals(request=Request)
cpdef send_made_here(object final, RequestContext context, ProxyEnvironment node, double now)
