cimport cython

from appliance.sip.characters cimport index_of, trimmed

@cython.freelist(512)
@cython.final
cdef class HeaderField:
    cdef public int id
    cdef public bytes line
    cdef public Py_ssize_t colon
    cdef public bytes _value

    @cython.locals(value=bytes)
    cpdef bytes text(self)

@cython.locals(field=HeaderField)
cpdef HeaderField field_of(int id, bytes line)
cpdef bytes unfold(bytes value)
cpdef HeaderField make_field(int id, bytes value)
@cython.locals(field=HeaderField)
cpdef HeaderField make_named_field(int id, bytes name, bytes value)
