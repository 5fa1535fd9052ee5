cimport cython
from appliance.location.binding_records cimport aor_of, binding_places
from appliance.sip.siphash cimport SipHash

cdef SipHash _HASH

@cython.locals(digest="unsigned long long", start=Py_ssize_t, end=Py_ssize_t, forget_at=double)
cpdef unsigned long long digest_of(bytes record, double over_at) except? 0
