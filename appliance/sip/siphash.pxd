cimport cython

cdef unsigned long long _WORD
cdef unsigned long long _BEGIN_0
cdef unsigned long long _BEGIN_1
cdef unsigned long long _BEGIN_2
cdef unsigned long long _BEGIN_3
cdef unsigned long long _FINAL

@cython.final
cdef class SipHash:
    cdef unsigned long long _low
    cdef unsigned long long _high

    @cython.locals(v0='unsigned long long', v1='unsigned long long', v2='unsigned long long', v3='unsigned long long',
                   word='unsigned long long', size=Py_ssize_t, blocks=Py_ssize_t, block=Py_ssize_t, rounds=int)
    cpdef unsigned long long of(self, bytes text)

@cython.locals(octets='const unsigned char*', end=Py_ssize_t, word='unsigned long long')
cdef unsigned long long _word_at(bytes text, Py_ssize_t at, Py_ssize_t size) noexcept
