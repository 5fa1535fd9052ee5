cimport cython

from appliance.sip.characters cimport end_of_quoted, index_of, lowered, part, skip_space, trimmed

@cython.locals(parameters=dict, size=Py_ssize_t, start=Py_ssize_t, name=bytes, octets='const unsigned char*',
               tokens='const unsigned char*')
cpdef dict parse_parameters(bytes text, Py_ssize_t at, str where)

@cython.locals(size=Py_ssize_t, at=Py_ssize_t, octets='const unsigned char*', values='const unsigned char*')
cdef Py_ssize_t _end_of_value(bytes text, Py_ssize_t start, str where) except -1

@cython.locals(size=Py_ssize_t, octet='unsigned char', octets='const unsigned char*')
cpdef Py_ssize_t next_comma(bytes text, Py_ssize_t at) except -1

@cython.locals(start=Py_ssize_t, size=Py_ssize_t, comma=Py_ssize_t, elements=list, only=bytes)
cpdef list split_list(bytes value)
