cimport cython

from appliance.sip.characters cimport digits_of, is_one_line, trimmed
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.status cimport status_line

cdef int CALL_ID, CSEQ, FROM, TIMESTAMP

cdef int TO, VIA
cdef unsigned int _COPIED
cdef unsigned int _COPIED_FOR_TRYING

@cython.locals(parts=list)
cpdef bytes write(Message message)

@cython.locals(request=Request, response=Response)
cpdef bytes start_line(Message message)

cdef bytes _status_line(int status, bytes reason)

@cython.locals(parts=list)
cpdef bytes write_response(Request request, int status, bytes reason=*, headers=*, bytes to_tag=*, bytes body=*)

@cython.locals(octets='const unsigned char*', index=Py_ssize_t, id=int)
cdef _append_copied(list parts, Request request, unsigned int wanted, bytes to_tag)

@cython.locals(line=bytes)
cdef _append_single(list parts, Request request, Py_ssize_t index, bytes to_tag)

cdef bint _has_tag(Request request) except -1
