from appliance.sip.uri cimport Uri

cpdef bytes public_gruu(bytes aor, bytes instance)
cpdef bytes instance_of(Uri uri)
