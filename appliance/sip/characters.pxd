cimport cython

cdef bytes _LOWER
cdef long long _SHORT_MAX
cdef tuple _SHORT

@cython.locals(octet='unsigned char', classes='const unsigned char*')
cpdef bint is_all(bytes text, bytes table) noexcept

@cython.locals(octet='unsigned char', classes='const unsigned char*', found=int)
cpdef int classes_in(bytes text, bytes table) noexcept

cpdef bint is_token(bytes text) noexcept

@cython.locals(octet='unsigned char')
cpdef bint is_one_line(bytes text) noexcept

@cython.locals(size=Py_ssize_t, octet='unsigned char', octets='const unsigned char*')
cpdef Py_ssize_t skip_space(bytes text, Py_ssize_t at) noexcept

@cython.locals(octets='const char*')
cpdef bytes part(bytes text, Py_ssize_t start, Py_ssize_t end)

@cython.locals(octet='unsigned char')
cpdef bytes lowered(bytes text)

@cython.locals(octet='unsigned char')
cpdef bytes uppered(bytes text)

@cython.locals(octet='unsigned char', octets='const unsigned char*')
cpdef bytes trimmed(bytes text, Py_ssize_t start, Py_ssize_t end)

@cython.locals(size=Py_ssize_t, octet='unsigned char', octets='const unsigned char*')
cpdef Py_ssize_t end_of_quoted(bytes text, Py_ssize_t at) noexcept

cpdef long long number(bytes text) noexcept

@cython.locals(octets='const unsigned char*', octet='unsigned char', index=Py_ssize_t, value='long long', cap='long long')
cpdef long long number_between(bytes text, Py_ssize_t start, Py_ssize_t end) noexcept

@cython.locals(size=Py_ssize_t, octets='const unsigned char*', classes='const unsigned char*')
cpdef Py_ssize_t end_of_class(bytes text, Py_ssize_t at, bytes table) noexcept

@cython.locals(index=Py_ssize_t, octets='const unsigned char*', letters='const unsigned char*',
               lower='const unsigned char*')
cpdef bint spells(bytes text, Py_ssize_t start, Py_ssize_t end, bytes word) noexcept

@cython.locals(index=Py_ssize_t, octets='const unsigned char*', letters='const unsigned char*',
               lower='const unsigned char*')
cpdef bint spells_from(bytes text, Py_ssize_t size, bytes words, Py_ssize_t at) noexcept

@cython.locals(size=Py_ssize_t, octets='const unsigned char*')
cpdef Py_ssize_t index_of(bytes text, unsigned char octet, Py_ssize_t at) noexcept

cpdef bytes digits_of(long long value)

cpdef bytes hex_of(unsigned int value)

cpdef bytes long_hex_of(unsigned long long value)

@cython.locals(octets='const unsigned char*', octet='unsigned char', index=Py_ssize_t, value='unsigned long long')
cpdef unsigned long long hex_number(bytes text, Py_ssize_t start, Py_ssize_t end) noexcept

cpdef bint has_bad_escape(bytes text)
