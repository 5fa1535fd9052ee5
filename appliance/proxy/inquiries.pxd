cimport cython


@cython.final
cdef class Inquiries:
    cdef public Py_ssize_t limit
    cdef long _last_id
    cdef dict _asked
    cdef dict _keys
    cdef dict _waiters
    cdef list _to_ask
    cdef public Py_ssize_t waiting_count

    cpdef list questions_to_ask(self)
    cdef long _join(self, tuple key, object waiter) except? -1
