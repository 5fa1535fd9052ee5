cimport cython

from appliance.sip.characters cimport (
    digits_of, end_of_class, index_of, is_all, is_token, lowered, number, number_between, part, skip_space, spells, trimmed, uppered)
from appliance.sip.parameters cimport parse_parameters
from appliance.sip.uri cimport end_of_host, port_between

cdef int _PORT_MAX

@cython.final
cdef class Via:
    cdef public bytes transport
    cdef public bytes host
    cdef public int port
    cdef public bytes branch
    cdef public bytes received
    cdef public int rport
    cdef public bytes maddr
    cdef public int ttl
    cdef public bytes sent_by
    cdef public bytes text

@cython.locals(start=Py_ssize_t, at=Py_ssize_t, semicolon=Py_ssize_t, via=Via)
cpdef Via parse_via(bytes value)

@cython.locals(slash=Py_ssize_t, second=Py_ssize_t)
cdef Py_ssize_t _end_of_protocol(bytes value) except -1

@cython.locals(size=Py_ssize_t, end=Py_ssize_t, host=bytes)
cdef _parse_sent_by(Via via, bytes text)

cdef _parse_parameters(Via via, bytes text, Py_ssize_t at)

@cython.locals(octets='const unsigned char*', size=Py_ssize_t, name=Py_ssize_t, end=Py_ssize_t, value=bytes)
cdef bint _read_plain(Via via, bytes text, Py_ssize_t at) except -1

cdef _read_any(Via via, dict parameters)

@cython.locals(octets='const unsigned char*', size=Py_ssize_t, colon=Py_ssize_t, via=Via)
cpdef Via new_via(bytes transport, bytes sent_by, bytes branch, bint rport=*)
