cimport cython

from appliance.location.registration_table cimport RegistrationTable
from appliance.overload.overload_controller cimport OverloadController
from appliance.proxy.held_replies cimport HeldReplies
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.kept_calls cimport KeptCalls
from appliance.proxy.outputs cimport Outputs
from appliance.proxy.proxy cimport Proxy
from appliance.proxy.ingress_filter cimport IngressFilter
from appliance.proxy.table_commits cimport TableCommits
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.parser cimport find_call_id, parse
from appliance.sip.traffic_counts cimport TrafficCounts
from appliance.sip.via cimport Via
from appliance.worker_group.worker_group cimport WorkerGroup
from appliance.worker_group.slot_ownership cimport SlotOwnership
from appliance.transaction.table cimport Transactions
from appliance.transaction.transaction cimport ClientTransaction, ServerTransaction
from appliance.transport.flow cimport Flow, Outgoing
from appliance.transport.keep_alives cimport is_keep_alive
from appliance.transport.via cimport is_last_via, stamp_received


# Counters of every message.
cdef Py_ssize_t REQUESTS_RECEIVED, REQUESTS_SENT, RESPONSES_RECEIVED, RESPONSES_SENT
cdef int NO_PROCESS


cdef class Stack:
    cdef public list counters
    cdef readonly TrafficCounts traffic
    cdef object _syntax
    cdef SlotOwnership _slot_ownership
    cdef Transactions _transactions
    cdef RegistrationTable _table
    cdef WorkerGroup _group
    cdef ProxyEnvironment _node
    cdef readonly object use_routes
    cdef readonly object use_sealing_keys
    cdef Proxy _proxy
    cdef object _moving
    cdef KeptCalls _kept_calls
    cdef readonly object takeover
    cdef object _keep_alives
    cdef readonly object node_flows
    cdef OverloadController _overload_controller
    cdef IngressFilter _ingress_filter
    cdef public bint is_sound
    cdef double _tidy_at
    cdef TableCommits _commits
    cdef double _move_at

    cpdef note_delay(self, double delay_s, double now)
    @cython.locals(data=bytes, flow=Flow)
    cpdef receive_datagrams(self, object batch, double now)
    @cython.locals(message=Message, verdict=int)
    cdef _handle(self, bytes data, Flow flow, double now, bint is_shared)
    cdef _receive(self, bytes data, Flow flow, double now, bint is_shared)
    @cython.locals(server=ServerTransaction)
    cdef _receive_request(self, Request request, Flow flow, double now, bint is_unjudged)
    cdef bint _receive_handed_over(self, object message, double now) except -1
    @cython.locals(via=Via, client=ClientTransaction)
    cdef _receive_response(self, Response response, double now)
    @cython.locals(outgoings=list, outgoing=Outgoing, flow=Flow, responses=Py_ssize_t, elsewhere=Py_ssize_t)
    cpdef list datagrams_to_send(self, double now)
    @cython.locals(due=double)
    cpdef double next_timer(self)
    cpdef handle_timers(self, double now)
    cpdef Outputs outputs(self, double now)
    cpdef list snapshots_to_keep(self, double now=*)
    cpdef list faults_to_log(self)
    cdef bint _goes_elsewhere(self, Outgoing outgoing, double now) except -1
    cpdef list questions_to_ask(self)
    cpdef list messages_to_send(self, double now)
    cdef _commit(self, double now)
