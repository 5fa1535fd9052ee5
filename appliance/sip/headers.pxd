cimport cython

from appliance.sip.characters cimport (
    digits_of, end_of_quoted, index_of, is_all, is_token, lowered, number, part, skip_space, trimmed, uppered)
from appliance.sip.parameters cimport parse_parameters
from appliance.sip.uri cimport Uri, parse_uri

cdef class NameAddr:
    cdef public bytes display
    cdef public Uri uri
    cdef public dict parameters

@cython.final
cdef class Contact(NameAddr):
    cdef public int q
    cdef public object expires
    cdef public bint is_star

@cython.locals(address=NameAddr)
cpdef NameAddr parse_name_addr(bytes value, str where=*)

@cython.locals(at=Py_ssize_t, end=Py_ssize_t, close=Py_ssize_t)
cdef _fill_name_addr(NameAddr address, bytes value, str where)

@cython.locals(bracket=Py_ssize_t, semicolon=Py_ssize_t)
cdef Py_ssize_t _index_display(NameAddr address, bytes value, Py_ssize_t at, str where) except -2

@cython.locals(semicolon=Py_ssize_t, text=bytes)
cdef _fill_addr_spec(NameAddr address, bytes value, str where)

cdef Uri _uri_in(bytes text, str where)

@cython.locals(contact=Contact)
cpdef Contact parse_contact(bytes value)

cpdef int parse_q(bytes text) except -1

@cython.locals(seconds='long long')
cpdef parse_delta_seconds(bytes text)

cpdef tuple parse_auth(bytes value)

@cython.locals(parameters=dict, element=bytes, name=bytes, equals=bytes, raw=bytes)
cdef dict _parse_auth_parameters(bytes text)
