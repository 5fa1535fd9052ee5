cdef class HeaderField:
    cdef public int id
    cdef public bytes line
    cdef public Py_ssize_t colon
    cdef public bytes _value

    cpdef bytes text(self)

cpdef HeaderField field_of(int id, bytes line)
cpdef bytes unfold(bytes value)
cpdef HeaderField make_field(int id, bytes value)
cpdef HeaderField make_named_field(int id, bytes name, bytes value)
