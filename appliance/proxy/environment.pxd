cimport cython

from appliance.location.gruu cimport instance_of
from appliance.location.change_limits cimport ChangeLimits
from appliance.location.registration cimport Rules
from appliance.location.registration_table cimport RegistrationTable
from appliance.security.dialog_token cimport DialogTokens
from appliance.proxy.failed_lookups cimport FailedLookups
from appliance.proxy.pending_lookups cimport PendingLookups
from appliance.security.keys cimport Keys
from appliance.security.nonces cimport Nonces
from appliance.overload.rate_limits cimport RateLimits
from appliance.proxy.fast_settings cimport DigestRules, ProxyRules
from appliance.routing.contact_policy cimport ContactPolicy
from appliance.routing.host_cache cimport HostCache
from appliance.routing.next_hops cimport NextHops
from appliance.routing.own_names cimport OwnNames
from appliance.routing.unavailable_hops cimport UnavailableHops
from appliance.sip.uri cimport Uri, canonical_user
from appliance.messages.msgpack_codec cimport Packer
from appliance.transaction.table cimport Transactions
from appliance.transport.flow cimport Flow


@cython.final
cdef class ProxyEnvironment:
    cdef public object settings
    cdef public int process
    cdef public dict changed_calls
    cdef public list counters
    cdef public object events
    cdef public object faults
    cdef public Transactions transactions
    cdef public RegistrationTable bindings
    cdef public object connections
    cdef public object publish
    cdef public Keys keys
    cdef public DialogTokens dialog_tokens
    cdef public OwnNames names
    cdef public HostCache hosts
    cdef public NextHops next_hops
    cdef public UnavailableHops unavailable_hops
    cdef public object subscribers
    cdef public PendingLookups pending_lookups
    cdef public FailedLookups failed_lookups
    cdef public Nonces nonces
    cdef public ContactPolicy contact_policy
    cdef tuple _addresses
    cdef bytes _key
    cdef public object servers
    cdef public object flow_tokens
    cdef public object temporary_gruus
    cdef public object failures
    cdef public tuple peers
    cdef public Packer packer
    cdef public RateLimits rate_limits
    cdef public Rules registrar_rules
    cdef public ProxyRules proxy_rules
    cdef public DigestRules digest_rules
    cdef public object router
    cdef public object routing_failures
    cdef public dict waiting
    cdef public double wall_offset_s
    cdef public double date_offset_s
    cdef public ChangeLimits change_limits

    cpdef ProxyEnvironment without_effects(self)
    cpdef double wall_time(self, double now)
    cpdef double date(self, double now)
    cpdef bint is_peer(self, Flow flow) except -1
    cpdef bint grants_relay(self, Flow hop) except -1
    @cython.locals(passable=list)
    cpdef list passable(self, list hops, int origin, int way_in, double now, object failed=*)
    cpdef bytes aor_of(self, Uri uri)
    cpdef bytes destination_of(self, Uri uri)
