cimport cython
from appliance.location.binding cimport Binding
from appliance.location.binding_records cimport aor_of, binding_places, decode_address, encode_bindings

cdef unsigned long long _NODE

@cython.locals(places=list, made=Py_ssize_t, start=Py_ssize_t, version="unsigned long long", binding=Binding)
cpdef bytes part_made_by(bytes record, int node)
@cython.locals(binding=Binding)
cpdef bytes shifted(bytes record, double seconds)
