cimport cython

from appliance.overload.overload_controller cimport OverloadController
from appliance.proxy.dialogs cimport is_expected
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.sip.quick_parse cimport Glance, glance_at, refusal_of
from appliance.sip.message cimport Request
from appliance.sip.via cimport Via, parse_via
from appliance.transport.flow cimport Flow
from appliance.transport.via cimport response_flow, stamp_received, stamped_via

cdef int CALL_ID


cdef class IngressFilter:
    cdef public OverloadController overload_controller
    cdef ProxyEnvironment _node
    cdef object _transactions
    cdef dict _waiting
    cdef object _keys
    cdef list _counters

    @cython.locals(glance=Glance, via=Via, key=bytes)
    cpdef int look_at(self, bytes data, Flow flow, double now) except -1
    cdef int _look_at_ack(self, bytes data) except -1
    @cython.locals(tag=bytes, retry_after=bytes, response=bytes)
    cdef _refuse_at_a_glance(self, Glance glance, Via via, Flow flow, double now)
    @cython.locals(answer=bytes)
    cpdef receive_keep_alive(self, bytes data, Flow flow)
    cpdef bint turns_away(self, Request request, Flow flow, double now) except -1
    cdef int _retry_after_s(self, bytes method, double now) except -1
