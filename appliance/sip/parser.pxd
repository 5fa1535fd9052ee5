cimport cython

from appliance.sip.characters cimport index_of, is_all, is_token, number, number_between, part, spells, trimmed
from appliance.sip.header_lines cimport end_of_value, start_of_value
from appliance.sip.message cimport Message, Request, Response
from appliance.sip.names cimport header_id, known_id
from appliance.sip.via cimport Via

cdef int CSEQ, FROM, MAX_FORWARDS, TO


@cython.final
cdef class SyntaxLimits:
    cdef readonly Py_ssize_t message_len_max
    cdef readonly Py_ssize_t header_count_max
    cdef readonly Py_ssize_t header_len_max
    cdef readonly Py_ssize_t uri_len_max

cdef int CALL_ID, CONTENT_LENGTH, VIA
cdef int _BROKEN
cdef bytes _VERSION
cdef unsigned long long _REQUIRED_MASK
cdef unsigned long long _SINGLE_MASK

@cython.locals(start=Py_ssize_t, size=Py_ssize_t, at=Py_ssize_t, start_line=bytes)
cpdef Message parse(bytes data, SyntaxLimits limits)

@cython.locals(lines=list, request=Request, body_at=Py_ssize_t)
cdef Request _parse_request(bytes start_line, bytes data, Py_ssize_t at, SyntaxLimits limits)

@cython.locals(lines=list, response=Response, body_at=Py_ssize_t)
cdef Response _parse_response(bytes start_line, bytes data, Py_ssize_t at, SyntaxLimits limits)

@cython.locals(at=Py_ssize_t, size=Py_ssize_t, colon=Py_ssize_t, octet='unsigned char')
cpdef bytes find_call_id(bytes data)

@cython.locals(end=Py_ssize_t, last=Py_ssize_t, value=bytes, size=Py_ssize_t, octet='unsigned char')
cdef bytes _folded_value(bytes data, Py_ssize_t at)

@cython.locals(at=Py_ssize_t, size=Py_ssize_t)
cdef Py_ssize_t _skip_empty_lines(bytes data) except -1

@cython.locals(octets='const unsigned char*', octet='unsigned char')
cdef Py_ssize_t _end_of_line(bytes data, Py_ssize_t at, Py_ssize_t end) noexcept

@cython.locals(octets='const unsigned char*', size=Py_ssize_t, start=Py_ssize_t)
cdef Py_ssize_t _cut_lines(list lines, bytes data, Py_ssize_t at, Py_ssize_t count_max) except -2

@cython.locals(ids=bytearray, octets='unsigned char*', index=Py_ssize_t, line=bytes)
cdef bytearray _ids_of(list lines, SyntaxLimits limits)

@cython.locals(size=Py_ssize_t, colon=Py_ssize_t, id=int)
cdef int _id_of(bytes line) except -1

@cython.locals(end=Py_ssize_t, first=Py_ssize_t, second=Py_ssize_t)
cdef _read_request_line(Request request, bytes start_line, SyntaxLimits limits)

cdef object _version_fault(bytes version)

@cython.locals(end=Py_ssize_t, space=Py_ssize_t, version_end=Py_ssize_t, code_end=Py_ssize_t)
cdef _read_status_line(Response response, bytes start_line)

@cython.locals(octets='const unsigned char*', count=Py_ssize_t, index=Py_ssize_t, id=int, one='unsigned long long',
               bit='unsigned long long', seen='unsigned long long', twice='unsigned long long',
               required='unsigned long long')
cdef _check_lines(Message message, Py_ssize_t body_at, SyntaxLimits limits)

@cython.locals(call_id=bytes, via=Via)
cdef _check_fields(Message message)

@cython.locals(line=bytes, length='long long', end=Py_ssize_t)
cdef _take_body(Message message, bytes data, Py_ssize_t at)

cdef _check_request(Request request)
