# Each request that proves who sends it passes here.
from appliance.sip.characters cimport is_all
from appliance.sip.headers cimport parse_auth


cpdef bint is_supported(bytes algorithm) except -1
cpdef bytes digest(bytes algorithm, bytes text)
cpdef bint verify(object credentials, bytes ha1, bytes method, bytes body) except -1
cpdef object parse_credentials(bytes value)
cdef bytes _base(bytes algorithm)
