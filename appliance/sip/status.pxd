cpdef bytes reason_phrase(int status)
