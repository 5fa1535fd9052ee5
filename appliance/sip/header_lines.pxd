cimport cython

from appliance.sip.characters cimport index_of, is_one_line, part, skip_space, trimmed
from appliance.sip.names cimport header_id
from appliance.sip.parameters cimport next_comma, split_list

cdef int OTHER

cdef bytes _IS_LIST

cdef class HeaderLines:
    cdef public list lines
    cdef public bytearray ids

    cpdef forget_one(self, int id)

    @cython.locals(octets='const unsigned char*', index=Py_ssize_t)
    cpdef Py_ssize_t index_of(self, int id) except -2
    @cython.locals(index=Py_ssize_t)
    cpdef bytes first(self, int id)
    @cython.locals(value=bytes)
    cpdef bytes first_value(self, int id)
    cpdef bytes required(self, int id)
    cpdef bytes required_line(self, int id)
    @cython.locals(index=Py_ssize_t)
    cpdef bytes first_line(self, int id)
    @cython.locals(octets='const unsigned char*', index=Py_ssize_t, found=int)
    cpdef int count(self, int id) except -1
    cpdef bint has_one_value(self, int id) except -1
    @cython.locals(octets='const unsigned char*', index=Py_ssize_t, found=list)
    cpdef list lines_of(self, int id)
    @cython.locals(line=bytes, found=list)
    cpdef list values(self, int id)

    cpdef insert(self, Py_ssize_t index, int id, bytes line)
    cpdef prepend(self, int id, bytes value)
    cpdef append(self, int id, bytes value)
    @cython.locals(id=int)
    @cython.locals(line=bytes)
    cpdef append_from(self, HeaderLines source, int id)
    @cython.locals(index=Py_ssize_t)
    cpdef replace(self, int id, bytes value)
    @cython.locals(index=Py_ssize_t, line=bytes, start=Py_ssize_t, end=Py_ssize_t)
    cpdef replace_first_value(self, int id, bytes value)
    @cython.locals(index=Py_ssize_t)
    cpdef exchange(self, int id, bytes old, bytes new)
    @cython.locals(index=Py_ssize_t, line=bytes, start=Py_ssize_t, end=Py_ssize_t, value=bytes)
    cpdef bytes remove_first_value(self, int id)
    @cython.locals(index=Py_ssize_t)
    cpdef remove_all(self, int id)
    @cython.final
    cdef copy_lines_into(self, HeaderLines other)
    @cython.final
    cdef _append_line(self, int id, bytes line)
    @cython.final
    cdef _remove(self, Py_ssize_t index)
    @cython.final
    cdef Py_ssize_t _index_required(self, int id) except -1

cpdef bytes make_line(bytes name, bytes value)
cpdef bytes value_of(bytes line)
cpdef bytes unfolded(bytes value)
cpdef Py_ssize_t start_of_value(bytes line) noexcept
@cython.locals(octets='const unsigned char*', end=Py_ssize_t, octet='unsigned char')
cpdef Py_ssize_t end_of_value(bytes line) noexcept
cdef Py_ssize_t _end_of_first_value(bytes line, Py_ssize_t start, int id) except -1
@cython.locals(elements=list)
cdef _extend_by_list(list found, bytes text, int id)
