cimport cython
from appliance.location.binding cimport Binding, BindingChange


cpdef bytes encode_change(BindingChange change)
@cython.locals(binding=Binding, parts=list, forget_at=double)
cpdef bytes encode_bindings(bytes aor, object bindings)
cdef _append_binding(list parts, Binding binding)
cpdef BindingChange decode_change(bytes record)
@cython.locals(ip_len=Py_ssize_t, key_len=Py_ssize_t, uri_len=Py_ssize_t, parameters_len=Py_ssize_t, call_id_len=Py_ssize_t,
               path_len=Py_ssize_t, instance_len=Py_ssize_t, user_agent_len=Py_ssize_t, binding=Binding)
cdef tuple _decode_binding(bytes record, Py_ssize_t at, bytes aor, int form)
@cython.locals(binding=Binding, parts=list, forget_at=double, live=Py_ssize_t)
cpdef bytes encode_address(bytes aor, list bindings, long long due)
@cython.locals(aor_len=Py_ssize_t, count=Py_ssize_t, at=Py_ssize_t, aor=bytes, bindings=list, binding=Binding)
cpdef list decode_address(bytes record, double alive_at=*)
@cython.locals(aor_len=Py_ssize_t)
cpdef bytes aor_of(bytes record)
cpdef tuple head_of(bytes record)
cpdef bytes with_due(bytes record, long long due)
cpdef long long second_after(double moment) except? -1
@cython.locals(aor_len=Py_ssize_t, count=Py_ssize_t, at=Py_ssize_t, second="long long", expires_at=double, forget_at=double)
cpdef long long next_event_of(bytes record) except? -1
cpdef double forget_at_of(bytes record) except? -1
@cython.locals(aor_len=Py_ssize_t, count=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, places=list)
cpdef list binding_places(bytes record)
