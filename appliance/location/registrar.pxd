cimport cython
from appliance.location.bindings cimport Binding, BindingChange, BindingTable


cdef class Outcome:
    cdef public int status
    cdef public bytes reason
    cdef public list headers
    cdef public BindingChange change


@cython.final
cdef class Registration:
    cdef public object request
    cdef public bytes aor
    cdef public list entries
    cdef public object settings
    cdef public object flow
    cdef public object source
    cdef public double wall_time
    cdef public int worker
    cdef public bytes call_id
    cdef public unsigned int cseq
    cdef public list supported
    cdef public tuple path
    cdef public bytes user_agent
    cdef public list pending
    cpdef bint is_in_order(self, Binding old)
    @cython.locals(version=cython.longlong, series=cython.longlong, forget_at=double, other=Binding)
    cpdef add(self, Binding old, bytes key, bytes uri, bytes parameters, int q, double expires_at, bytes instance, unsigned int reg_id)
    @cython.locals(entry=Binding, binding=Binding)
    cpdef list bindings_after(self)


cpdef Outcome register(object request, bytes aor, BindingTable table, object settings, object flow, object source, double wall_time,
                       int worker)
cdef _check_extensions(object request)
@cython.locals(old=Binding)
cdef _remove_all(Registration registration, list contacts)
cdef _remove(Registration registration, Binding old)
cdef _update(Registration registration, list contacts, BindingTable table)
@cython.locals(old=Binding, is_live=bint)
cdef bint _change_one(Registration registration, object contact, object expires_s) except -1
@cython.locals(entry=Binding)
cdef Binding _matching(Registration registration, object contact, bytes key, object reg_id)
cdef tuple _instance_and_flow(Registration registration, object contact)
cdef bytes _kept_parameters(object contact)
cdef _check_no_loop(bytes aor, object contact, bytes instance)
cdef _check_room(Registration registration, BindingTable table)
cdef object _expires_of_request(Registration registration)
cdef object _granted(object requested_s, object settings)
@cython.locals(binding=Binding)
cdef Outcome _accepted(Registration registration)
cdef bytes _contact_value(Binding binding, double wall_time, bint wants_gruu)
