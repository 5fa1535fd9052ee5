cimport cython

from appliance.transport.flow cimport Flow
from appliance.worker_group.node_connections cimport NodeConnections

cdef int NO_PROCESS
cdef long NO_CONNECTION


cdef class ConnectionDirectory:
    cdef readonly NodeConnections nodes
    cdef readonly object owners
    cdef int _process
    cdef dict _own
    cdef dict _elsewhere
    cdef tuple _siblings
    cdef dict _news
    cdef bint _is_listing_due
    cdef set _untold
    cdef double _again_at

    cpdef open_flow(self, Flow flow)
    cpdef bint has_way(self, Flow hop) except -1
    cpdef Flow by_node(self, Flow hop)
    cpdef list news_for_nodes(self, double now)
    cpdef carrier(self, Flow flow)
    @cython.locals(holder=int)
    cpdef Flow way_by(self, Flow flow)
