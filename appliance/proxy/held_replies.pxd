cimport cython

from appliance.location.registration_table cimport RegistrationTable
from appliance.sip.message cimport Request
from appliance.sip.writer cimport write_response
from appliance.transaction.table cimport Transactions
from appliance.transaction.transaction cimport ServerTransaction
from appliance.transport.flow cimport Flow

cdef Py_ssize_t REGISTRATIONS_LATE, REGISTRATIONS_UNREPLICATED, REGISTRATIONS_UNSTORED


@cython.final
cdef class HeldReply:
    cdef public long long after
    cdef public double until
    cdef public double replicated_by
    cdef public Request request
    cdef public bytes to_tag
    cdef public ServerTransaction server
    cdef public Flow flow
    cdef public int status
    cdef public bytes data


@cython.final
cdef class HeldReplies:
    cdef object _held
    cdef Transactions _transactions
    cdef RegistrationTable _table
    cdef list _counters
    cdef public double full_until
    cdef public double wait_s
    cdef public double replication_wait_s

    @cython.locals(reply=HeldReply)
    cpdef hold(self, long long after, Request request, bytes to_tag, ServerTransaction server, Flow flow, int status, bytes data, double now)
    @cython.locals(committed="long long", acknowledged="long long", is_written=bint, is_refused=bint, reply=HeldReply)
    cpdef release(self, double now)
    cdef _refuse(self, HeldReply reply, bytes retry_after, double now)
