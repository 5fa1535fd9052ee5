cimport cython

from appliance.proxy.identities cimport is_anonymous
from appliance.proxy.node cimport Node
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.digest_uri cimport is_for
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri, escaped_user

cdef int AUTHORIZATION, PROXY_AUTHORIZATION


@cython.locals(request=Request, claimed=Uri, home=bytes)
cpdef object authenticate(RequestContext context, Node node, double now)
cdef Uri _claimed_uri(Request request)
cdef bytes _home_of(Uri claimed, Request request, Node node)
cdef object _credentials_for(Request request, bytes realm)
cdef bint _is_for(object credentials, RequestContext context) except -1
cdef bint _is_right(Request request, Node node, object credentials, object known) except -1
cdef object _accept(RequestContext context, bytes identity)
cdef object _challenge(Request request, Node node, bytes realm, bint is_stale, double now)
