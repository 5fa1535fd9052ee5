from appliance.sip.uri cimport Uri, canonical_aor, canonical_user, parse_uri

cdef tuple _DECISIVE

cpdef bint is_for(bytes digest_uri, bytes request_uri) except -1
cdef bytes _user_of(Uri uri)
cdef bint _parameters_agree(Uri ours, Uri theirs) except -1
