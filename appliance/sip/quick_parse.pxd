cimport cython

from appliance.sip.characters cimport index_of, part, skip_space, trimmed
from appliance.sip.names cimport header_id, known_id

cdef int CALL_ID, CSEQ, FROM, TO, VIA


cdef class Glance:
    cdef public bytes method
    cdef public bytes top_via
    cdef public list vias
    cdef public bytes sender
    cdef public bytes to
    cdef public bytes call_id
    cdef public bytes cseq
    cdef public bint has_to_tag

@cython.locals(octets='const unsigned char *', octet=int, size=Py_ssize_t, space=Py_ssize_t, end=Py_ssize_t,
               at=Py_ssize_t, glance=Glance)
cpdef Glance glance_at(bytes data)

@cython.locals(colon=Py_ssize_t, id=int, is_first=bint)
cdef bint _keep(Glance glance, bytes line) except -1

@cython.locals(line=bytes, comma=Py_ssize_t)
cdef bint _is_whole(Glance glance) except -1

@cython.locals(octets='const unsigned char *', size=Py_ssize_t, at=Py_ssize_t, begin=Py_ssize_t)
cpdef bint has_tag(bytes line) except -1

@cython.locals(vias=list, first=bytes, to=bytes, comma=Py_ssize_t, parts=list)
cpdef bytes refusal_of(Glance glance, bytes status_line, bytes top_via, bytes to_tag, headers)
