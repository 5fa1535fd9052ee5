cimport cython

from appliance.sip.characters cimport digits_of, index_of
from appliance.sip.fields cimport HeaderField
from appliance.sip.message cimport Message, Request, Response

cdef unsigned int _COPIED
cdef unsigned int _COPIED_FOR_TRYING

@cython.locals(parts=list, field=HeaderField)
cpdef bytes write(Message message)

@cython.locals(request=Request, response=Response)
@cython.locals(request=Request, response=Response)
cpdef bytes start_line(Message message)

cdef bytes _status_line(int status, bytes reason)

@cython.locals(parts=list, field=HeaderField, via=int, name=bytes, value=bytes)
cpdef bytes write_response(Request request, int status, bytes reason, headers=*, bytes to_tag=*, bytes body=*)

cdef bint _is_one_line(bytes text) noexcept

@cython.locals(field=HeaderField, id=int, to=int, id_max=int)
cdef _append_singles(list parts, Request request, unsigned int wanted, bytes to_tag)

cdef bint _has_tag(Request request) except -1
