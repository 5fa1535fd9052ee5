cimport cython

from appliance.sip.characters cimport has_bad_escape, index_of, is_all, number

cdef class Uri:
    cdef public bytes scheme
    cdef public bytes user
    cdef public bytes password
    cdef public bytes host
    cdef public int port
    cdef public dict parameters
    cdef public bytes headers
    cdef public bytes text

    cdef bytes _address(self)

@cython.locals(uri=Uri, scheme=bytes, colon=Py_ssize_t)
cpdef Uri parse_uri(bytes text)

@cython.locals(user=bytes)
cpdef bytes canonical_aor(Uri uri)

@cython.locals(at=Py_ssize_t, semicolon=Py_ssize_t, size=Py_ssize_t, mark=Py_ssize_t)
cdef _parse_sip(Uri uri, bytes rest)

@cython.locals(colon=Py_ssize_t)
cdef _parse_userinfo(Uri uri, bytes userinfo)

@cython.locals(end=Py_ssize_t, size=Py_ssize_t, host=bytes, port='long long')
cpdef tuple parse_host_port(bytes text)

@cython.locals(parameters=dict, part=bytes, name=bytes, equals=Py_ssize_t)
cdef dict _parse_parameters(bytes text)
