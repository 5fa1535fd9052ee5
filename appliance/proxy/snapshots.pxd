cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.request_context cimport RequestContext
from appliance.routing.targets cimport Target
from appliance.sip.writer cimport write
from appliance.messages.msgpack_codec cimport Packer
from appliance.transport.flow cimport Flow


@cython.final
cdef class BranchSnapshot:
    cdef readonly Target target
    cdef readonly long attempt
    cdef readonly Flow hop
    cdef readonly list hops
    cdef readonly bint is_proceeding
    cdef readonly bint wants_cancel
    cdef readonly object final


cpdef bytes packed_request(ProxyEnvironment node, RequestContext context)
@cython.locals(target=Target, branch=BranchSnapshot)
cpdef bytes write_snapshot(Packer packer, bytes names, bytes request, str stage, bytes answer, bint is_answered, bint is_closed, double group_until, list cancel_reasons, list known, list targets, list branches)
cdef object _write_flow(Flow flow)
cdef tuple _write_target(Target target)
@cython.locals(hop=Flow)
cdef tuple _write_branch(BranchSnapshot branch)
