cimport cython

from appliance.sip.characters cimport classes_in, digits_of, has_bad_escape, index_of, is_all, lowered, number_between, part

cdef bytes _SIP
cdef bytes _USER
cdef bytes _USER_WRITTEN
cdef int _PERCENT
cdef int _AT
cdef int _QUESTION

@cython.final
cdef class Uri:
    cdef public bytes scheme
    cdef public bytes user
    cdef public bytes password
    cdef public bytes host
    cdef public int port
    cdef public dict parameters
    cdef public bytes headers
    cdef public bytes text

    cpdef bint has_sip_scheme(self) except -1
    cpdef bytes parameter(self, bytes name)
    cpdef bytes without_headers(self)
    cpdef Uri with_scheme(self, bytes scheme)
    cdef bytes _address(self)

@cython.locals(uri=Uri, scheme=bytes, colon=Py_ssize_t, classes=int)
cpdef Uri parse_uri(bytes text)

cpdef bytes canonical_aor(Uri uri)

cpdef bytes canonical_user(bytes user)
cpdef bytes escaped_user(bytes name)
cpdef bytes written_user(bytes text)
cdef _check_written(Uri uri)

@cython.locals(at=Py_ssize_t, semicolon=Py_ssize_t, size=Py_ssize_t, host_end=Py_ssize_t, question=Py_ssize_t,
               octets='const unsigned char*')
cdef _parse_sip(Uri uri, bytes text, Py_ssize_t start, int classes)

@cython.locals(colon=Py_ssize_t, octets='const unsigned char*')
cdef _parse_userinfo(Uri uri, bytes text, Py_ssize_t start, Py_ssize_t end)

@cython.locals(end=Py_ssize_t)

@cython.locals(size=Py_ssize_t)
cpdef bytes canonical_host(bytes host)

@cython.locals(at=Py_ssize_t, octets='const unsigned char*', hosts='const unsigned char*')
cpdef Py_ssize_t end_of_host(bytes text, Py_ssize_t start, Py_ssize_t end) except -1

@cython.locals(port='long long')
cpdef int port_between(bytes text, Py_ssize_t colon, Py_ssize_t end) except -1

@cython.locals(parameters=dict, name=bytes, start=Py_ssize_t, equals=Py_ssize_t, octets='const unsigned char*')
cdef dict _parse_parameters(bytes text, Py_ssize_t at, Py_ssize_t end)
