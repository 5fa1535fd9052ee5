cimport cython

from appliance.proxy.identities cimport is_anonymous
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.sip.digest_uri cimport is_for
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri, escaped_user, parse_uri

cdef int AUTHORIZATION, PROXY_AUTHORIZATION


@cython.locals(request=Request, claimed=Uri, home=bytes)
cpdef object authenticate(RequestContext context, ProxyEnvironment node, double now)
cdef Uri _claimed_uri(Request request)
cdef bytes _home_of(Uri claimed, Request request, ProxyEnvironment node)
cdef object _credentials_for(Request request, bytes realm)
cdef bint _is_for(object credentials, RequestContext context, ProxyEnvironment node) except -1
cdef bint _is_this_server(Uri uri, ProxyEnvironment node) except -1
cdef bint _is_right(Request request, ProxyEnvironment node, object credentials, object known) except -1
cdef object _accept(RequestContext context, bytes identity)
cdef bytes _source_of(RequestContext context, ProxyEnvironment node)
@cython.locals(nonce=bytes)
cdef object _challenge(RequestContext context, ProxyEnvironment node, bytes realm, bint is_stale, double now)
