cimport cython

from appliance.sip.characters cimport index_of, is_all, is_token, number, part, trimmed
from appliance.sip.fields cimport HeaderField
from appliance.sip.headers cimport Via
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.names cimport header_id, known_id

@cython.final
cdef class SyntaxLimits:
    cdef readonly Py_ssize_t message_len_max
    cdef readonly Py_ssize_t header_count_max
    cdef readonly Py_ssize_t header_len_max
    cdef readonly Py_ssize_t uri_len_max

@cython.locals(start=Py_ssize_t, head_end=Py_ssize_t, end=Py_ssize_t, at=Py_ssize_t, start_line=bytes, fields=list, body=bytes,
               request=Request)
cpdef Message parse(bytes data, SyntaxLimits limits)

@cython.locals(at=Py_ssize_t, size=Py_ssize_t, colon=Py_ssize_t, octet='unsigned char')
cpdef bytes find_call_id(bytes data)

@cython.locals(end=Py_ssize_t, last=Py_ssize_t, value=bytes, size=Py_ssize_t, octet='unsigned char')
cdef bytes _folded_value(bytes data, Py_ssize_t at)

@cython.locals(at=Py_ssize_t, size=Py_ssize_t)
cdef Py_ssize_t _skip_empty_lines(bytes data) except -1

@cython.locals(octets='const unsigned char*', octet='unsigned char')
cdef Py_ssize_t _end_of_line(bytes data, Py_ssize_t at, Py_ssize_t end) noexcept

@cython.locals(octets='const unsigned char*', fields=list, start=Py_ssize_t)
cdef list _index_fields(bytes data, Py_ssize_t at, Py_ssize_t end, Py_ssize_t count_max)

@cython.locals(field=HeaderField, size=Py_ssize_t, colon=Py_ssize_t)
cdef HeaderField _index_line(bytes line)

@cython.locals(end=Py_ssize_t, first=Py_ssize_t, second=Py_ssize_t, method=bytes, uri_text=bytes)
cdef Request _parse_request_line(bytes start_line, list fields, SyntaxLimits limits)

cdef _check_version(bytes version)

@cython.locals(version=bytes, rest=bytes, code=bytes, status=int, response=Response)
cdef Response _parse_response(bytes start_line, list fields, bytes body, bint has_end, SyntaxLimits limits)

@cython.locals(field=HeaderField, line_len_max=Py_ssize_t)
cdef _check_bounds(Message message, Py_ssize_t size, bint has_end, SyntaxLimits limits)

@cython.locals(call_id=bytes, via=Via)
cdef _check_fields(Message message)

@cython.locals(field=HeaderField, one='unsigned long long', bit='unsigned long long', seen='unsigned long long',
               twice='unsigned long long', others='unsigned long long', required='unsigned long long')
cdef _check_counts(Message message)

@cython.locals(value=bytes, length='long long')
cdef _cut_body(Message message)

cdef _check_request(Request request)
