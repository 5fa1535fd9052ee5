cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.security.dialog_token cimport DialogTokens
from appliance.sip.address_fast_path cimport plain_party
from appliance.sip.characters cimport digits_of, lowered
from appliance.sip.header_lines cimport end_of_value, start_of_value
from appliance.sip.headers cimport parse_name_addr
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.uri cimport Uri, canonical_user
from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.flow cimport Flow

cdef int CONTACT, FROM, RECORD_ROUTE, ROUTE, TO
cdef int ANSWERED, AT_SOURCE, RELAYS, TO_PEER, _SIP_PORT, _SIPS_PORT
cdef Py_ssize_t TOKEN_LEN
cdef bytes _UNKNOWN, _NOWHERE


@cython.final
cdef class AcceptedAnswer:
    cdef readonly bytes to_tag
    cdef readonly bytes contact
    cdef readonly list routes
    cdef readonly bint makes_dialog



@cython.locals(uri=Uri)
cpdef Uri route_uri(bytes value)
@cython.locals(token=bytes, flags=int, target=Uri, uris=list, uri=Uri, way=bytes)
cpdef int admission_of(Uri own, Request request, list routes, Flow flow, ProxyEnvironment node, double now) except -1
@cython.locals(to_tag=bytes, from_tag=bytes, tokens=DialogTokens, flags=int)
cdef int _proved_flags(bytes token, Request request, ProxyEnvironment node, double now) except -2
cdef bint _may_come_from(Flow flow, bytes token, int flags, Request request, ProxyEnvironment node) except -1
cpdef bint begins_nothing(int admission, bytes method) except -1
@cython.locals(values=list, first=Uri, admission=int)
cpdef bint is_expected(Request request, Flow flow, ProxyEnvironment node, double now) except -1
@cython.locals(second=Uri)
cdef bint _is_second(list values, ProxyEnvironment node) except -1
@cython.locals(way=bytes, caller=bytes, callee=bytes, ends=bytes, contact=Uri, routes=list, route=Uri, until_min=long, flags=int)
cpdef bytes token_to_sender(Request request, RequestContext context, Flow hop, ProxyEnvironment node, double now)
@cython.locals(contact=Uri)
cpdef bind_to_answer(Response response, Flow flow, ProxyEnvironment node)
@cython.locals(contact=bytes, to_tag=bytes, known=AcceptedAnswer, makes_dialog=bint)
cpdef bint note_answer(ServerTransaction server, Request request, Response response) except -1
cdef bint _leads_to(Request ack, AcceptedAnswer answer) except -1
@cython.locals(tokens=DialogTokens, call_id=bytes, from_tag=bytes, parties=bytes, to_caller=bytes,
               to_callee=bytes, values=list, index=Py_ssize_t, token=bytes, flags=int, seen=set, behind=list, uri=Uri,
               address=bytes, way=bytes, only_way=Flow, old=bytes, new=bytes)
cdef list _rebound(Response response, Uri contact, Flow flow, ProxyEnvironment node)
cdef bytes _token_in(bytes value)
@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cdef bytes _flow_beside(bytes value)
@cython.locals(value=bytes)
cdef Uri _contact_of(Message message)
cdef bytes _way_of(Uri target, list routes)
@cython.locals(port=int, address=bytes, transport=bytes, maddr=bytes, gruu=bytes)
cdef bytes _routing_of(Uri uri)
@cython.locals(host=bytes)
cdef bytes _address_of(Uri uri)
cdef bytes _ends(bytes call_id, bytes to_tag, bytes from_tag)
cdef bytes _parties(bytes to_party, bytes from_party)
@cython.locals(line=bytes, party=bytes, uri=Uri)
cdef bytes _party(Message message, int header)
cdef long _minute(ProxyEnvironment node, double now) except -1
