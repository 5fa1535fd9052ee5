cimport cython

from appliance.proxy.breadth cimport deal_breadth
from appliance.proxy.branch cimport Branch, BranchUser
from appliance.proxy.dialogs cimport bind_to_answer, note_answer
from appliance.proxy.identities cimport withhold_identity
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.targets cimport Target
from appliance.sip.message cimport Request, Response
from appliance.proxy.snapshots cimport packed_request, write_snapshot
from appliance.sip.writer cimport write, write_response
from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.via cimport pop_via


cdef int _DONE
cdef int _COMPLETED


cdef class ResponseContext(BranchUser):
    cdef public ServerTransaction server
    cdef ProxyEnvironment _node
    cdef list _targets
    cdef set _seen
    cdef list _branches
    cdef long _breadth_kept
    cdef bint _is_decided
    cdef bint _is_final_sent
    cdef bint _is_kept
    cdef bytes _key
    cdef bytes _packed

    cpdef start(self, double now)
    @cython.locals(group=list, branches=list, branch=Branch)
    cdef _try_next_group(self, double now)
    cpdef provisional_arrived(self, Branch branch, Response response, double now)
    cpdef success_arrived(self, Branch branch, Response response, double now)
    cpdef branch_moved(self, Branch branch, double now)
    cpdef branch_ended(self, Branch branch, double now)
    @cython.locals(spares=tuple, spare=Target, other=Branch)
    cdef _try_spare(self, Branch branch, object final, double now)
    @cython.locals(branch=Branch, left=list)
    cdef _let_go(self)
    @cython.locals(branch=Branch)
    cdef bint _is_all_done(self) except -1
    @cython.locals(branch=Branch)
    cdef _decide(self, double now)
    cpdef cancel(self, double now)
    cpdef end_by_fault(self, double now)
    cdef _relay(self, Response response, double now)
    cdef _send_best(self, double now)
    @cython.locals(may_matter=bint)
    cdef _changed(self)
    cdef bint _may_matter(self) except -1
    @cython.locals(answer=bytes, is_answered=bint, branches=list, branch=Branch)
    cpdef bytes snapshot(self)
