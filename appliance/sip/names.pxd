cimport cython

from appliance.sip.characters cimport is_token, spells

cdef list _SPELLINGS
cdef Py_ssize_t _LEN_MAX

cdef Py_ssize_t _shape(Py_ssize_t size, unsigned char first) noexcept

@cython.locals(spelling=bytes, id=int)
cpdef int known_id(bytes text, Py_ssize_t end) except -2

@cython.locals(stripped=bytes, id=int)
cpdef int header_id(bytes name) except -2
