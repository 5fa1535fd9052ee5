cimport cython

from appliance.proxy.branch cimport Branch, BranchUser
from appliance.proxy.dialogs cimport note_answer
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.forwarding cimport breadth_of
from appliance.proxy.request_context cimport RequestContext
from appliance.proxy.stage_chain cimport Role, run_response_chain
from appliance.routing.target_set cimport TargetSet
from appliance.routing.targets cimport Target
from appliance.sip.message cimport Request, Response
from appliance.proxy.snapshots cimport packed_request, write_snapshot
from appliance.proxy.upstream cimport send_best, send_made_here, send_up
from appliance.transaction.timers cimport Timer
from appliance.transaction.transaction cimport ServerTransaction


cdef int _DONE
cdef int _COMPLETED


cdef class ResponseContext(BranchUser):
    cdef ProxyEnvironment _node
    cdef Role _role
    cdef list _branches
    cdef Timer _group_timer
    cdef double _group_until
    cdef bint _is_final_sent
    cdef bint _is_kept
    cdef readonly bytes key
    cdef bytes _packed

    cpdef start(self, double now)
    @cython.locals(branches=list, branch=Branch)
    cdef _try_next_group(self, double now)
    cdef _start_group_timer(self, double duration_s, double now)
    cdef _stop_group_timer(self)
    @cython.locals(branch=Branch)
    cpdef timer_fired(self, long token, double now)
    cpdef provisional_arrived(self, Branch branch, Response response, double now)
    @cython.locals(is_first=bint)
    cpdef success_arrived(self, Branch branch, Response response, double now)
    @cython.locals(server=ServerTransaction, is_new=bint)
    cdef _pass_success(self, Branch branch, Response response, bint is_first, double now)
    cpdef branch_moved(self, Branch branch, double now)
    cpdef branch_ended(self, Branch branch, double now)
    cdef _run_stages(self, Branch branch, object final, Response response, double now)
    @cython.locals(spare=Target, other=Branch)
    cdef _try_spare(self, Branch branch, object final, double now)
    @cython.locals(branch=Branch)
    cdef _end(self, double now)
    @cython.locals(branch=Branch, left=list)
    cdef _let_go(self)
    @cython.locals(branch=Branch)
    cdef bint _is_all_done(self) except -1
    @cython.locals(branch=Branch)
    cdef _decide(self, double now)
    cpdef cancel(self, double now)
    @cython.locals(server=ServerTransaction)
    cpdef end_by_fault(self, double now)
    @cython.locals(may_matter=bint)
    cdef _changed(self)
    @cython.locals(server=ServerTransaction)
    cdef bint _may_matter(self) except -1
    @cython.locals(answer=bytes, server=ServerTransaction, is_answered=bint, branches=list, branch=Branch)
    cpdef bytes snapshot(self)
