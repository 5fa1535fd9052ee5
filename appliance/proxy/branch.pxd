cimport cython

from appliance.proxy.forwarding cimport add_path, add_record_route, address_to_hop, connection_of, length_of, prepare_request
from appliance.proxy.identities cimport remove_claims_of, withhold_identity
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.hops_of_target cimport hops_of_target
from appliance.proxy.request_context cimport RequestContext
from appliance.proxy.snapshots cimport BranchSnapshot
from appliance.routing.contact_policy cimport is_foreign, is_next_hop
from appliance.routing.target_set cimport TargetSet
from appliance.routing.targets cimport Target
from appliance.routing.unavailable_hops cimport UnavailableHops
from appliance.sip.message cimport Request, Response
from appliance.sip.uri cimport Uri
from appliance.sip.writer cimport write
from appliance.transaction.table cimport Transactions
from appliance.transaction.timers cimport Timer
from appliance.transaction.transaction cimport ClientTransaction, ClientUser
from appliance.transport.flow cimport Flow

cdef int MAX_BREADTH, REASON, RETRY_AFTER, TIMED_OUT, UNREACHABLE

cdef int _RESOLVING
cdef int _CALLING
cdef int _PROCEEDING
cdef int _DONE


cdef class BranchUser:
    cdef public RequestContext request_context
    cdef public bint is_invite
    cdef public list cancel_reasons
    cdef public TargetSet targets

    cpdef provisional_arrived(self, Branch branch, Response response, double now)
    cpdef success_arrived(self, Branch branch, Response response, double now)
    cpdef branch_moved(self, Branch branch, double now)
    cpdef branch_ended(self, Branch branch, double now)


cdef class Branch(ClientUser):
    cdef public Target target
    cdef public int state
    cdef public ClientTransaction client
    cdef public object final
    cdef public long repeats
    cdef public Request request
    cdef readonly BranchUser user
    cdef ProxyEnvironment _node
    cdef Uri _hop_uri
    cdef list _hops
    cdef Py_ssize_t _attempt
    cdef Timer _timer
    cdef bint _wants_cancel

    @cython.locals(hop=Flow, attempt=long, is_proceeding=bint)
    cpdef BranchSnapshot snapshot(self)
    cpdef start(self, double now)
    cdef bint _prepare(self, double now) except -1
    cdef _find_hops(self, double now, object lookups=*)
    cdef _try_next_hop(self, double now, object resumed=*)
    cdef bint _awaits_connection(self, double now) except -1
    @cython.locals(hop=Flow, request=Request, context=RequestContext, transactions=Transactions, data=bytes)
    cdef _take_hop(self, double now, object resumed=*)
    @cython.locals(unavailable=UnavailableHops)
    cdef _skip_unavailable(self, double now)
    cdef bint _is_hop_timed(self) except -1
    cdef bint _is_replaceable(self) except -1
    cdef bint _is_passed_over(self, Flow hop, double now) except -1
    cdef _note_failure(self, ClientTransaction client, int why, double now)
    cdef _note_pause(self, ClientTransaction client, Response response, double now)
    cdef _start_timer(self, double duration_s, double now)
    cdef double _time_of_hop(self) except -1
    cdef _stop_timer(self)
    cpdef response_arrived(self, ClientTransaction client, Response response, double now)
    @cython.locals(was_calling=bint)
    cdef _provisional_arrived(self, Response response, double now)
    cpdef timed_out(self, ClientTransaction client, double now)
    cpdef transport_failed(self, ClientTransaction client, double now)
    cdef _fail_over(self, double now)
    cpdef cancel(self, double now)
    cdef _send_cancel(self, double now)
    cpdef stop_ringing(self, double now)
    cdef _give_up(self, object final, double now)
    cdef _end(self, object final, double now)
    cpdef end_by_fault(self)
    cdef _stop(self)
