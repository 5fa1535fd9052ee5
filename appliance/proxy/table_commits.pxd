cimport cython

from appliance.location.registration_table cimport RegistrationTable
from appliance.proxy.held_replies cimport HeldReplies


@cython.final
cdef class TableCommits:
    cdef readonly double due
    cdef RegistrationTable _table
    cdef HeldReplies _held
    cdef list _counters

    @cython.locals(is_written=bint)
    cpdef commit(self, double now)
    cdef bint _write(self) except -1
