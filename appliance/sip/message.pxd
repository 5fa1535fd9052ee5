cimport cython

from appliance.sip.characters cimport end_of_class, is_token, number_between, part, skip_space
from appliance.sip.headers cimport Contact, NameAddr, parse_contact, parse_name_addr
from appliance.sip.header_lines cimport HeaderLines, end_of_value, start_of_value
from appliance.sip.address_fast_path cimport plain_tag
from appliance.sip.uri cimport Uri, parse_uri
from appliance.sip.via cimport Via, parse_via

cdef int CALL_ID, CONTACT, CSEQ, FROM, MAX_FORWARDS, TO, VIA
cdef long long _UNREAD
cdef long long _CSEQ_MAX

cdef class Message(HeaderLines):
    cdef public bytes body
    cdef public bytes _call_id
    cdef public long long _cseq_number
    cdef public bytes _cseq_method
    cdef public int _max_forwards
    cdef public NameAddr _from
    cdef public bytes _from_tag
    cdef public NameAddr _to
    cdef public bytes _to_tag
    cdef public Via _via

    cpdef begin(self, list lines, bytearray ids, bytes body)
    cpdef forget_one(self, int id)
    cpdef list contacts(self)

    cpdef bytes read_call_id(self)
    @cython.locals(line=bytes, start=Py_ssize_t, end=Py_ssize_t, sequence='long long', method=bytes)
    cpdef read_cseq(self)
    cpdef long long read_cseq_number(self) except -1
    cpdef bytes read_cseq_method(self)
    @cython.locals(line=bytes, tag=bytes)
    cpdef bytes read_from_tag(self)
    @cython.locals(line=bytes, tag=bytes)
    cpdef bytes read_to_tag(self)
    cpdef NameAddr read_from(self)
    cpdef NameAddr read_to(self)
    @cython.locals(value=bytes)
    cpdef Via read_top_via(self)
    @cython.locals(line=bytes, hops='long long')
    cpdef int read_max_forwards(self) except -2
    @cython.final
    cdef _copy_into(self, Message other)

@cython.final
cdef class Request(Message):
    cdef public bytes method
    cdef public bytes uri_text
    cdef public bytes received_uri
    cdef public Uri _uri

    cpdef Uri read_uri(self)
    cpdef receive_uri(self, bytes uri_text)
    cpdef set_uri(self, Uri uri)
    @cython.locals(other=Request)
    cpdef Request copy(self)

@cython.final
cdef class Response(Message):
    cdef public int status
    cdef public bytes reason

    @cython.locals(other=Response)
    cpdef Response copy(self)
