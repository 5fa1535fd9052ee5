cimport cython

from appliance.sip.message cimport Request, Response
from appliance.transaction.keys cimport client_key, has_cookie, merged_key, rfc2543_key, sequence_key, server_key, to_tag_of
from appliance.transaction.layer cimport Transaction, TransactionLayer
from appliance.transaction.transaction cimport ClientTransaction, ClientUser, ServerTransaction
from appliance.transport.flow cimport Flow

cdef int _REQUEST
cdef int _ACK
cdef int _PROVISIONAL
cdef int _SUCCESS
cdef int _FAILURE
cdef int _LATE
cdef int _ABANDONED
cdef int _TRANSPORT_ERROR
cdef int _ACCEPTED


cdef class Transactions(TransactionLayer):
    cdef public Py_ssize_t limit
    cdef readonly dict clients
    cdef readonly dict servers
    cdef readonly dict merged
    cdef readonly dict extensions
    cdef Request _looked_up
    cdef bytes _key
    cdef bytes _merged_key

    @cython.locals(server=ServerTransaction)
    cpdef ended(self, Transaction transaction)
    @cython.locals(method=bytes, server=ServerTransaction)
    cpdef ServerTransaction server_for(self, Request request)
    @cython.locals(key=bytes, merged=bytes, server=ServerTransaction)
    cpdef ServerTransaction new_server(self, Request request, Flow flow, object user, object now=*)
    cpdef bytes key_of(self, Request request)
    cdef _forget_names(self, ServerTransaction server)
    cdef bytes _sequence_key_of(self, Request request)
    cdef bytes _merged_key_of(self, Request request)
    cdef bint _is_cancel_of_known(self, Request request) except -1
    cpdef receive_request(self, ServerTransaction server, Request request, double now)
    cpdef ServerTransaction cancelled_target(self, Request request)
    @cython.locals(server=ServerTransaction)
    cpdef ServerTransaction accepted_by(self, Request ack)
    @cython.locals(key=bytes, first=ServerTransaction)
    cpdef bint is_merged(self, Request request) except -1
    cpdef respond(self, ServerTransaction server, int status, bytes data, double now)
    cpdef answer(self, ServerTransaction server, Flow flow, int status, bytes data, double now)
    cpdef abandon(self, ServerTransaction server, double now=*)
    @cython.locals(request=Request, cancel=ClientTransaction)
    cpdef give_up(self, ClientTransaction client, double now)
    @cython.locals(client=ClientTransaction)
    cpdef ClientTransaction new_client(self, Request request, bytes data, Flow flow, ClientUser user, double now)
    @cython.locals(client=ClientTransaction)
    cpdef ClientTransaction resume_client(self, Request request, bytes data, Flow flow, ClientUser user, bint is_proceeding,
                                          double now)
    @cython.locals(branch=bytes, key=bytes, client=ClientTransaction)
    cdef ClientTransaction _added_client(self, Request request, bytes data, Flow flow, ClientUser user)
    cpdef ClientTransaction client_for(self, Response response)
    @cython.locals(status=int, what=int)
    cpdef receive_response(self, ClientTransaction client, Response response, double now)
    @cython.locals(client=ClientTransaction, server=ServerTransaction)
    cpdef bint fail(self, bytes branch_key, double now) except -1
    cpdef handle_timers(self, double now)
    cpdef double next_timer(self)
