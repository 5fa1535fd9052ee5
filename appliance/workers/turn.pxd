cimport cython

from appliance.proxy.outputs cimport Outputs
from appliance.stack cimport Stack
from appliance.workers.datagram_sockets cimport DatagramSockets
from appliance.workers.queue_delay cimport QueueDelay
from appliance.workers.streams cimport Streams
from appliance.workers.outbound cimport Outbound


cdef class Turn:
    cdef Stack _stack
    cdef DatagramSockets _doors
    cdef object _recorder
    cdef object _failed
    cdef object _loop
    cdef Streams _streams
    cdef object _questions
    cdef Outbound _outbound
    cdef QueueDelay _delays
    cdef bint _is_closed
    cdef bint _is_flush_due
    cdef double _flush_due_since
    cdef object _timer
    cdef double _timer_at
    cdef public object mirror
    cdef public object event_watch
    cdef public object call_log
    cdef public object held
    cdef readonly long long count

    @cython.locals(messages=list, now=double)
    cpdef read_datagrams(self)
    @cython.locals(begin=Py_ssize_t, now=double)
    cdef _receive_by_parts(self, list messages)
    cpdef _receive(self, list batch, double now)
    cpdef flush(self)
    @cython.locals(stack=Stack, outputs=Outputs, failures=list, faults=list, outgoings=list, messages=list, due=double)
    cdef _flush(self, double now)
    cpdef flush_soon(self)
    cdef _set_timer(self, double due, double now)
    @cython.locals(now=double)
    cpdef timer_fired(self)
