cimport cython

from appliance.proxy.pending_lookups cimport Asker
from appliance.security.keys cimport loop_part_for, upstream_key
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.fast_settings cimport ListenerRules
from appliance.routing.targets cimport Target
from appliance.sip.message cimport Request
from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.flow cimport Flow
from appliance.transport.source cimport source_of

cdef int ADMITTED, AT_SOURCE, NAMED, RELAYS, ROUTE, TO_SOURCE


@cython.final
cdef class RequestContext:
    cdef public Request request
    cdef public Flow flow
    cdef public ListenerRules listener
    cdef public bytes upstream
    cdef bytes _loop_part
    cdef public long period
    cdef public ServerTransaction server
    cdef public Py_ssize_t position
    cdef public object answer
    cdef public bytes identity
    cdef public bint is_trusted
    cdef public bint is_in_dialog
    cdef public int admission
    cdef public bint is_spiral
    cdef public bint record_routed
    cdef public bint keeps_flow
    cdef public Flow named_flow
    cdef public int path_kind
    cdef public bint is_cancelled
    cdef public object targets
    cdef public object route
    cdef public bint is_unrouted
    cdef public Py_ssize_t way_out

    cpdef bytes read_loop_part(self, ProxyEnvironment node)
    cpdef Asker asker(self)
    cpdef admit(self, int admission)
    @cython.locals(target=Target, is_at_source=bint)
    cpdef Target named_target(self)
    @cython.locals(origin=int)
    cpdef int origin_of(self, Target target) except -1
    cpdef bint is_for_flow(self) except -1
    cpdef bint may_relay(self) except -1
    cpdef bint has_relay_rights(self) except -1
