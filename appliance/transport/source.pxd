cpdef str source_of(str address)
