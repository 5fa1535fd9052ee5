cimport cython


@cython.final
cdef class Asker:
    cdef public str source
    cdef public bytes subscriber
    cdef public bint is_trusted


@cython.final
cdef class Queue:
    cdef object _kind
    cdef readonly object cache
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t waiting_count
    cdef dict _asked
    cdef dict _waiters
    cdef dict _held

    cpdef long held_by(self, object sender) except? -1
    cpdef object asked(self, object question)
    cpdef begin(self, object question)
    cpdef add(self, object question, object waiter, Asker asker)
    cdef _count(self, Asker asker, long step)


@cython.final
cdef class PendingLookups:
    cdef object _settings
    cdef list _counters
    cdef long _last_id
    cdef dict _queues
    cdef dict _under_way
    cdef list _to_ask

    cpdef list questions_to_ask(self)
    @cython.locals(queue=Queue)
    cpdef bint ask(self, object question, object waiter, Asker asker) except -1
    @cython.locals(queue=Queue)
    cpdef ask_again(self)
    cdef object _begin(self, Queue queue, object question, str source)
    cdef object _outlived(self, Queue queue, object question, double now)
    @cython.locals(queue=Queue)
    cdef Queue _queue_of(self, object kind)
    cdef bint _is_share_used(self, Queue queue, Asker asker) except -1
