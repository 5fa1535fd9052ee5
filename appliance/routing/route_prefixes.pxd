cimport cython

cdef bytes _DIGIT_OF
cdef int _PLUS, _END


@cython.locals(
    octets=bytes, key=cython.ulonglong, bits=int, octet=cython.uchar, digit=cython.ulonglong, before=cython.ulonglong
)
cpdef unsigned long long key_of_prefix(str text) except? 0
@cython.locals(key=cython.ulonglong, bits=int, octet=cython.uchar, digit=cython.ulonglong, length=Py_ssize_t)
cpdef unsigned long long key_of_number(bytes number) except? 0
@cython.locals(bits=int)
cpdef bint covers(unsigned long long prefix, unsigned long long key) noexcept
