cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.worker_group.slot_ownership cimport SlotOwnership


@cython.final
cdef class KeptCalls:
    cdef ProxyEnvironment _node
    cdef SlotOwnership _slot_ownership
    cdef list _copies
    cdef public tuple addresses

    @cython.locals(changed=dict, kept=list, call_id=bytes, snapshot=bytes)
    cpdef list take(self, double now)
    @cython.locals(way_in=Py_ssize_t)
    cdef _copy(self, bytes key, object call, bytes call_id, bytes snapshot)
    cpdef list take_copies(self)
