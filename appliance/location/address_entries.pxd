cimport cython
from appliance.location.binding cimport Binding
from appliance.location.binding_records cimport encode_address, second_after


@cython.locals(binding=Binding, second="long long", event="long long")
cpdef bytes record_made(bytes aor, list entries, long long due)
@cython.locals(after=list, binding=Binding, index=Py_ssize_t)
cpdef list merged(list entries, object bindings, list changed, Py_ssize_t tombstones_max)
@cython.locals(binding=Binding)
cpdef list preferred(list found, bytes instance=*)
@cython.locals(other=Binding)
cpdef list spares_of(Binding binding, list found)
cdef _bound_tombstones(list entries, Py_ssize_t tombstones_max)
@cython.locals(index=Py_ssize_t, entry=Binding)
cdef Py_ssize_t _index_of(list entries, bytes key)
cdef bint _is_spare(Binding other, Binding binding)
