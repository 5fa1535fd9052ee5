cimport cython

cdef int _BEGINNING_OF_TEXT


@cython.locals(first='unsigned char')
cpdef bint is_keep_alive(bytes data) except -1
