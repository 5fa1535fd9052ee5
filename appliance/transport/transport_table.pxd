cimport cython

from appliance.sip.characters cimport lowered
from appliance.sip.uri cimport Uri

cdef int _COUNT, _DEFAULT, _SECURE_DEFAULT, _SIP_PORT, _UNKNOWN
cdef long _SECURE, _STREAMS
cdef tuple _PORTS
cdef dict _BY_SIPS_PARAMETER, _BY_URI_PARAMETER, _BY_VIA

cpdef bint is_known(int transport) noexcept
cpdef bint is_stream(int transport) noexcept
cpdef bint is_secure(int transport) noexcept
cpdef bint is_opened_here(int transport) noexcept
cpdef int default_port(int transport) except -1
cpdef int transport_of_via(bytes token) except -2
@cython.locals(named=bytes)
cpdef int transport_of_uri(Uri uri) except -2
cpdef int port_of_uri(Uri uri) except -1
