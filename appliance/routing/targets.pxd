cimport cython

from appliance.location.binding cimport Binding
from appliance.sip.uri cimport Uri, parse_uri
from appliance.transport.flow cimport Flow

@cython.final
cdef class Target:
    cdef public Uri uri
    cdef public bytes uri_text
    cdef public int q
    cdef public tuple path
    cdef public int origin
    cdef public Flow flow
    cdef public bint is_secure
    cdef public bint is_flow_bound
    cdef public long breadth
    cdef public tuple spares
    cdef public str translation

    cpdef name_by(self, Uri uri)

@cython.locals(targets=list, binding=Binding, uri=Uri, is_own=bint, is_flow_bound=bint, kept=Flow, flow=Flow, target=Target, origin=int)
cpdef list targets_of_bindings(object bindings, object policy)

@cython.locals(group=list, target=Target, q_highest=int)
cpdef list next_group(list targets, str fork)
