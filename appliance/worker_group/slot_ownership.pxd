cimport cython

from appliance.messages.slots cimport slot_of


@cython.final
cdef class SlotOwnership:
    cdef tuple _owners
    cdef unsigned int _seed
    cdef readonly int process
    cdef readonly long long epoch
    cdef readonly bint is_shared
    cdef readonly list siblings

    cpdef int owner_of(self, bytes call_id) except -1
    cpdef bint is_own(self, bytes call_id) except -1
    cpdef int slot_of(self, bytes call_id) except -1
