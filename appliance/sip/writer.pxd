cimport cython

from appliance.sip.characters cimport digits_of
from appliance.sip.fields cimport HeaderField, field_of, make_field, make_named_field
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.names cimport header_id

@cython.locals(parts=list, field=HeaderField)
cpdef bytes write(Message message)

@cython.locals(request=Request, response=Response)
cpdef bytes start_line(Message message)

cpdef bytes write_response(Request request, int status, bytes reason, headers=*, bytes to_tag=*, bytes body=*)

@cython.locals(fields=list, name=bytes, value=bytes, response=Response)
cpdef Response response_to(Request request, int status, bytes reason, headers=*, bytes to_tag=*, bytes body=*)

@cython.locals(vias=list, singles=list, field=HeaderField, id=int, via=int, to=int, id_max=int, wanted='unsigned int')
cdef list _copied_fields(Request request, bint is_trying, bytes to_tag)

cdef HeaderField _tagged(Request request, HeaderField field, bytes to_tag)
