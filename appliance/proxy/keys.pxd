cdef class Keys:
    cdef bytes _key

    cdef bytes _seal(self, bytes purpose, bytes text)
    cpdef bytes branch(self, bytes upstream, bytes target, bytes loop_part)
