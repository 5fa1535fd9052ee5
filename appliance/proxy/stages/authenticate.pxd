cimport cython

from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri

cdef int AUTHORIZATION, PROXY_AUTHORIZATION


@cython.locals(request=Request, claimed=Uri)
cpdef object authenticate(RequestContext context, Node node, double now)
cdef Uri _claimed_uri(Request request)
cdef object _credentials_for(Request request, bytes realm)
