cimport cython

from appliance.sip.uri cimport Uri
from appliance.transport.transport_table cimport port_of_uri

@cython.final
cdef class OwnNames:
    cdef frozenset _domains
    cdef dict _listeners
    cdef dict _of_nodes
    cdef public bytes default_domain
    cdef public bytes realm
    cdef public list sent_bys
    cdef public bytes listener_names
    cdef public Py_ssize_t sent_by_len_max

    cpdef bint is_me(self, Uri uri) except -1
    cpdef bint is_own_route(self, Uri uri) except -1
    cpdef bint is_diverted(self, Uri uri) except -1
    @cython.locals(ports=dict)
    cpdef bint is_own_sent_by(self, bytes host, int port) except -1
    cpdef int listener_of(self, Uri uri) except -2
    @cython.locals(ports=dict)
    cdef int _listener_at(self, bytes host, int port) except -2
    cpdef bint is_responsible_for(self, Uri uri) except -1
    cdef bint _is_responsible_at(self, bytes host, Uri uri) except -1
    @cython.locals(host=bytes)
    cpdef bint leads_here(self, Uri uri) except -1
    cpdef bint is_own_domain(self, bytes host) except -1
    cpdef bytes realm_of(self, bytes host)
    cpdef bint is_own_realm(self, bytes realm) except -1
    @cython.locals(user=bytes, realm=bytes)
    cpdef bytes public_uri(self, bytes aor, bytes host)
    cpdef bytes aor_of(self, bytes user, bytes host)
