cimport cython

cdef unsigned int _PRIME
cdef unsigned int _MASK

@cython.locals(folded='unsigned int', prime='unsigned int', mask='unsigned int', octet='unsigned char')
cpdef unsigned int fnv(bytes text, unsigned int begin=*) noexcept
