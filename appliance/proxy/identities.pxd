cimport cython

from appliance.proxy.environment cimport ProxyEnvironment
from appliance.sip.message cimport Message
from appliance.sip.uri cimport Uri
from appliance.transport.flow cimport Flow

cdef int P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY, PRIVACY, REMOTE_PARTY_ID


cpdef bint is_anonymous(Uri uri) except -1
@cython.locals(header=int)
cpdef remove_claims(Message message)
cpdef remove_claims_of(Message message, Flow source, ProxyEnvironment node)
cpdef withhold_identity(Message message, Flow destination, ProxyEnvironment node)
cdef bint _has_identity(Message message) except -1
cdef bint _wants_privacy(Message message) except -1
cdef bint _is_from_anonymous(Message message) except -1
