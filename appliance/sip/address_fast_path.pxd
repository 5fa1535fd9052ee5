cimport cython

from appliance.sip.characters cimport end_of_class, end_of_quoted, number_between, part, skip_space

cdef bytes _USER

@cython.locals(octets='const unsigned char*', at=Py_ssize_t)
cpdef bytes plain_tag(bytes value, Py_ssize_t start, Py_ssize_t size)

@cython.locals(octets='const unsigned char*', at=Py_ssize_t, end=Py_ssize_t)
cpdef bytes plain_party(bytes value, Py_ssize_t start, Py_ssize_t size)

cdef Py_ssize_t _end_of_display(bytes value, Py_ssize_t at) noexcept

@cython.locals(octets='const unsigned char*', end=Py_ssize_t, port='long long')
cdef Py_ssize_t _end_of_address(bytes value, Py_ssize_t at, Py_ssize_t last) except -2
