cpdef bint wants_answer(bytes message) except -1
cpdef bint is_final(bytes message) except -1
