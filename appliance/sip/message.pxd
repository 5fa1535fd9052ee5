# HeaderField has another name here: a cimported name would hide the one that Python code imports from this module.
cimport cython

from appliance.sip.characters cimport index_of, number, skip_space, trimmed
from appliance.sip.fields cimport HeaderField as Field, field_of, make_field, make_named_field, unfold
from appliance.sip.headers cimport Contact, NameAddr, Via, parse_contact, parse_cseq, parse_name_addr, parse_via
from appliance.sip.names cimport header_id
from appliance.sip.parameters cimport next_comma, split_list
from appliance.sip.plain_address cimport plain_tag
from appliance.sip.uri cimport Uri, parse_uri

cdef unsigned long long _ANY


cdef class Message:
    cdef public list fields
    cdef public bytes body
    cdef public bytes _call_id
    cdef public long long _cseq_number
    cdef public bytes _cseq_method
    cdef public NameAddr _from
    cdef public bytes _from_tag
    cdef public NameAddr _to
    cdef public bytes _to_tag
    cdef public Via _via
    cdef unsigned long long _ids

    cpdef forget(self)
    cpdef note_ids(self, unsigned long long ids)
    @cython.final
    cdef bint may_have(self, int id) noexcept
    @cython.locals(bit='unsigned long long')
    cdef _note(self, int id)
    cdef _forget_one(self, int id)

    @cython.locals(field=Field, index=Py_ssize_t)
    cpdef Py_ssize_t index_of(self, int id) except -2
    @cython.locals(field=Field)
    cpdef bytes first(self, int id)
    @cython.locals(field=Field, found=int)
    cpdef int count(self, int id) except -1
    @cython.locals(field=Field, found=list, is_list=bint)
    cpdef list values(self, int id)
    cpdef list contacts(self)

    cpdef bytes read_call_id(self)
    cpdef read_cseq(self)
    cpdef long long read_cseq_number(self) except -1
    cpdef bytes read_cseq_method(self)
    @cython.locals(tag=bytes)
    cpdef bytes read_from_tag(self)
    @cython.locals(tag=bytes)
    cpdef bytes read_to_tag(self)
    cpdef NameAddr read_from(self)
    cpdef NameAddr read_to(self)
    @cython.locals(value=bytes)
    cpdef Via read_top_via(self)
    @cython.locals(value=bytes, hops='long long')
    cpdef int read_max_forwards(self) except -2
    cpdef bytes _required(self, int id)

    @cython.locals(index=Py_ssize_t)
    cpdef prepend(self, int id, bytes value)
    cpdef append(self, int id, bytes value)
    cpdef append_named(self, bytes name, bytes value)
    @cython.locals(index=Py_ssize_t, field=Field)
    cpdef replace(self, int id, bytes value)
    @cython.locals(index=Py_ssize_t, field=Field, line=bytes)
    cpdef replace_first_value(self, int id, bytes value)
    @cython.locals(index=Py_ssize_t, field=Field, line=bytes, start=Py_ssize_t, end=Py_ssize_t, rest=Py_ssize_t)
    cpdef bytes remove_first_value(self, int id)
    @cython.locals(field=Field)
    cpdef remove_all(self, int id)
    cdef Py_ssize_t _index_required(self, int id) except -1
    @cython.locals(field=Field, start=Py_ssize_t, end=Py_ssize_t)
    cdef tuple _first_value_span(self, Py_ssize_t index)
    cdef _copy_into(self, Message other)

@cython.locals(elements=list)
cdef _extend_by_list(list found, bytes text, int id)

cdef class Request(Message):
    cdef public bytes method
    cdef public bytes uri_text
    cdef public Uri _uri

    cpdef Uri read_uri(self)
    cpdef set_uri(self, bytes uri_text, Uri uri=*)
    @cython.locals(other=Request)
    cpdef Request copy(self)

cdef class Response(Message):
    cdef public int status
    cdef public bytes reason

    @cython.locals(other=Response)
    cpdef Response copy(self)
