cimport cython

from appliance.proxy.stage_results cimport Reply
from appliance.proxy.stage_chain cimport Role, run_chain
from appliance.proxy.held_replies cimport HeldReplies
from appliance.security.keys cimport period_of
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.proxy.response_context cimport ResponseContext
from appliance.sip.message cimport Request, Response
from appliance.sip.writer cimport write_response
from appliance.transaction.keys cimport server_key
from appliance.transaction.table cimport Transactions
from appliance.transaction.transaction cimport ClientTransaction, ServerTransaction
from appliance.transport.flow cimport Flow
from appliance.transport.via cimport is_last_via, response_flow

cdef Py_ssize_t CALLS_STARTED


@cython.final
cdef class Proxy:
    cdef ProxyEnvironment _node
    cdef tuple _listeners
    cdef list _roles
    cdef public object early
    cdef public HeldReplies held

    @cython.locals(context=RequestContext, waiting=dict)
    cpdef receive_request(self, Request request, Flow flow, double now)
    cdef bint _refuse_again(self, RequestContext context, double now) except -1
    cdef _receive_ack(self, RequestContext context, double now)
    cdef _receive_cancel(self, RequestContext context, double now)
    @cython.locals(target=ServerTransaction)
    cdef bint _cancel(self, RequestContext context, double now) except -1
    @cython.locals(waiting=dict)
    cdef bint _cancel_waiting(self, RequestContext context, double now) except -1
    @cython.locals(role=Role)
    cpdef decide(self, RequestContext context, double now)
    @cython.locals(role=Role)
    cpdef go_on(self, RequestContext context, str stage, double now)
    @cython.locals(server=ServerTransaction, responses=ResponseContext)
    cdef _forward(self, RequestContext context, double now)
    @cython.locals(node=ProxyEnvironment)
    cdef _suspend(self, RequestContext context, object question, double now)
    @cython.locals(request=Request, server=ServerTransaction, destination=Flow, to_tag=bytes, data=bytes)
    cdef _reply(self, RequestContext context, Reply reply, double now)
    @cython.locals(request=Request, destination=Flow)
    cdef ServerTransaction _new_server(self, RequestContext context, object now)
    @cython.locals(server=ServerTransaction)
    cdef ServerTransaction _waiting_server(self, RequestContext context, double now)
    cpdef receive_response(self, ClientTransaction client, Response response, double now)
    cpdef bint fail(self, bytes branch, double now) except -1
    cpdef receive_stray_response(self, Response response, double now)
    cpdef timer_failed(self, object owner, object error, double now)
    cpdef waiter_failed(self, object waiter, object error, double now)
    cpdef handle_timers(self, double now)
    cpdef adopt(self, object snapshots, double now, bint is_of_other_node=*)
