cimport cython

from appliance.sip.characters cimport end_of_class, end_of_quoted, number, part, skip_space

cdef bytes _USER

@cython.locals(octets='const unsigned char*', size=Py_ssize_t, at=Py_ssize_t, start=Py_ssize_t)
cpdef bytes plain_tag(bytes value)

@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t _end_of_display(bytes value) noexcept

@cython.locals(octets='const unsigned char*', last=Py_ssize_t, end=Py_ssize_t, port='long long')
cdef Py_ssize_t _end_of_address(bytes value, Py_ssize_t at) except -2
