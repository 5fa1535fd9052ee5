import cython


@cython.locals(mask=cython.ulonglong, folded=cython.ulonglong, index=cython.Py_ssize_t, octet=cython.uchar)
cpdef int slot_of(bytes call_id, unsigned int seed)


cdef class SlotTable:
    cdef readonly tuple owners
    cdef readonly int epoch

    cpdef int owner_of(self, int slot)
