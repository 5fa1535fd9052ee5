cimport cython


@cython.final
cdef class Packer:
    cdef object _pack

    cpdef bytes pack(self, object values)
