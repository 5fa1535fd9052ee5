cimport cython

from appliance.sip.characters cimport is_token, spells_from

cdef bytes _FIRST
cdef bytes _PLACES
cdef Py_ssize_t _LEN_MAX
cdef Py_ssize_t _PLACE_LEN
cdef Py_ssize_t _ID_AT
cdef Py_ssize_t _NEXT_AT

cdef Py_ssize_t _shape(Py_ssize_t size, unsigned char first) noexcept

@cython.locals(places='const unsigned char*', place=Py_ssize_t, at=Py_ssize_t)
cpdef int known_id(bytes text, Py_ssize_t end) except -2

@cython.locals(stripped=bytes, id=int)
cpdef int header_id(bytes name) except -2
