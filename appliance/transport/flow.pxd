cimport cython

from appliance.transport.transport_table cimport is_stream

cdef class Flow:
    cdef readonly int transport
    cdef readonly bint is_stream
    cdef readonly int listener
    cdef readonly tuple remote
    cdef readonly int process
    cdef readonly long connection
    cdef readonly str name
    cdef Py_hash_t _hash
    cdef bytes _host

    @cython.locals(address=str)
    cpdef bytes host(self)
    cpdef tuple way(self)
    cpdef tuple parts(self)


cdef class Outgoing:
    cdef public bytes data
    cdef public Flow flow
    cdef public bytes branch
