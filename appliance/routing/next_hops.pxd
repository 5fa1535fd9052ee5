cimport cython

from appliance.routing.host_cache cimport HostCache
from appliance.sip.siphash cimport SipHash
from appliance.sip.uri cimport Uri
from appliance.transport.flow cimport Flow
from appliance.transport.transport_table cimport default_port, is_opened_here, is_secure, transport_of_uri

cdef int TCP, UDP, UNKNOWN_TRANSPORT
cdef tuple TCP_THEN_UDP
cdef int _IPV6


@cython.final
cdef class NextHops:
    cdef HostCache _hosts
    cdef SipHash _choice
    cdef object _location
    cdef list _speaks

    @cython.locals(transports=tuple, host=bytes, address=str, flows=list, ways=tuple)
    cpdef list find(self, Uri uri, Py_ssize_t request_len, Py_ssize_t listener, bytes call_id, double now, object failed=*)
    @cython.locals(name=str, remote=tuple, transport=int, way_out=Py_ssize_t)
    cdef _add_flows(self, list flows, str address, int port, tuple transports, Uri uri, Py_ssize_t listener)
    cpdef bint is_way(self, Flow flow) except -1
    @cython.locals(address=str, way_out=Py_ssize_t)
    cpdef Flow flow_to(self, int transport, bytes host, int port)
    cdef Py_ssize_t _listener_for(self, int transport, bint is_ipv6, Py_ssize_t preferred) except -2
    @cython.locals(speaks=long)
    cdef bint _serves(self, Py_ssize_t number, int transport, bint is_ipv6) except -1

@cython.locals(transport=int)
cpdef tuple transports_of(Uri uri, Py_ssize_t request_len)
