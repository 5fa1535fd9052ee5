cimport cython

from appliance.security.dialog_token cimport DialogTokens
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.sip.characters cimport digits_of, lowered
from appliance.sip.headers cimport parse_name_addr
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.uri cimport Uri, canonical_user
from appliance.transaction.transaction cimport ServerTransaction

cdef int CONTACT, RECORD_ROUTE, ROUTE


@cython.final
cdef class AcceptedAnswer:
    cdef readonly bytes to_tag
    cdef readonly bytes contact
    cdef readonly list routes
    cdef readonly bint makes_dialog



@cython.locals(uri=Uri)
cpdef Uri route_uri(bytes value)
@cython.locals(to_tag=bytes, way=bytes, call_id=bytes, from_tag=bytes)
cpdef bint is_admitted(bytes token, Request request, list routes, ProxyEnvironment node, double now) except -1
@cython.locals(values=list, first=Uri)
cpdef bint is_of_dialog(Request request, ProxyEnvironment node, double now) except -1
@cython.locals(second=Uri)
cdef bint _is_second(list values, ProxyEnvironment node) except -1
@cython.locals(way=bytes, contact=Uri, routes=list, until_min=long)
cpdef bytes token_to_sender(Request request, ProxyEnvironment node, double now)
@cython.locals(contact=Uri)
cpdef bind_to_answer(Response response, ProxyEnvironment node)
@cython.locals(contact=bytes, to_tag=bytes, known=AcceptedAnswer, makes_dialog=bint)
cpdef note_answer(ServerTransaction server, Request request, Response response)
cdef bint _leads_to(Request ack, AcceptedAnswer answer) except -1
@cython.locals(tokens=DialogTokens, call_id=bytes, caller=bytes, callee=bytes, values=list, index=Py_ssize_t, token=bytes,
               seen=set, behind=list)
cdef list _rebound(Response response, Uri contact, ProxyEnvironment node)
cdef bytes _token_in(bytes value)
@cython.locals(value=bytes)
cdef Uri _contact_of(Message message)
cdef bytes _way_of(Uri target, list routes)
cdef bytes _routing_of(Uri uri)
cdef long _minute(ProxyEnvironment node, double now) except -1
