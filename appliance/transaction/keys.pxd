cimport cython

from appliance.sip.characters cimport digits_of
from appliance.sip.message cimport Request
from appliance.sip.via cimport Via

cpdef bint has_cookie(bytes branch) except -1
cpdef bytes client_key(bytes branch, bytes method)
@cython.locals(via=Via, branch=bytes)
cpdef bytes server_key(Request request, bytes method)
@cython.locals(via=Via)
cpdef bytes rfc2543_key(Request request, bytes method, bytes to_tag)
cpdef bytes merged_key(Request request)
@cython.locals(cseq=bytes)
cpdef bytes sequence_key(Request request, bytes method)
cpdef bytes to_tag_of(bytes response)
