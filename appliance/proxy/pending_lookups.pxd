cimport cython


@cython.final
cdef class Asker:
    cdef public str source
    cdef public bytes subscriber
    cdef public bint is_trusted


@cython.final
cdef class Queue:
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t waiting_count
    cdef dict _asked
    cdef dict _keys
    cdef dict _waiters
    cdef dict _held

    cpdef long held_by(self, object sender) except? -1
    cpdef long is_asked(self, tuple key) except? -1
    cpdef add(self, long number, tuple key, object waiter, Asker asker)
    cdef _count(self, Asker asker, long step)


@cython.final
cdef class PendingLookups:
    cdef object _limits
    cdef list _counters
    cdef long _last_id
    cdef Queue _lookups
    cdef Queue _queries
    cdef list _to_ask

    cpdef list questions_to_ask(self)
    cdef long _join(self, Queue queue, long counter, tuple key, object waiter, Asker asker) except? -1
    cdef bint _is_share_used(self, Queue queue, Asker asker) except -1
    cdef Queue _queue_of(self, object answer)
