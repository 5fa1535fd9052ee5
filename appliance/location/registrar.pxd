cimport cython
from appliance.location.binding cimport Binding, BindingChange
from appliance.location.gruu cimport public_gruu
from appliance.location.registration cimport Registration, Rules, begin_registration
from appliance.location.registration_table cimport RegistrationTable
from appliance.sip.characters cimport digits_of
from appliance.sip.headers cimport Contact, parse_delta_seconds, parse_name_addr
from appliance.sip.header_lines cimport make_line
from appliance.sip.message cimport Request
from appliance.sip.uri cimport Uri, canonical_aor, parse_uri
from appliance.transport.flow cimport Flow
from appliance.transport.transport_table cimport is_opened_here, is_stream, transport_of_uri

cdef int EXPIRES, REQUIRE


cdef class Outcome:
    cdef public int status
    cdef public bytes reason
    cdef public list headers
    cdef public BindingChange change


@cython.locals(registration=Registration, contacts=list, first=Contact, entries=list)
cpdef Outcome outcome_of(Request request, bytes aor, RegistrationTable table, Rules rules, Flow flow, tuple source,
                          double wall_time, int node, object own=*, bytes address=*,
                          double date_offset_s=*, object temporary_gruus=*)
cdef _check_extensions(Request request)
cpdef bytes unsupported_by_us(Request request)
@cython.locals(old=Binding)
cdef _remove_all(Registration registration, list contacts)
cdef _remove(Registration registration, Binding old)
@cython.locals(contact=Contact, expires_s='long long', default_s='long long', added=int, kept=int)
cdef _update(Registration registration, list contacts, RegistrationTable table)
@cython.locals(old=Binding, matched=Binding, is_live=bint, parameters=bytes, instance=bytes, reg_id='unsigned int', uri=bytes, key=bytes)
cdef bint _change_one(Registration registration, Contact contact, long long expires_s) except -1
@cython.locals(entry=Binding, dead=Binding, entries=list, is_live=bint)
cdef Binding _matching(Registration registration, Contact contact, bytes key, unsigned int reg_id)
@cython.locals(value=bytes, instance=bytes, reg_id=bytes)
cdef tuple _instance_and_flow(Registration registration, Contact contact)
@cython.locals(text=bytes, parameters=dict)
cdef bytes _kept_parameters(Contact contact)
@cython.locals(uri=Uri, is_plain=bint)
cdef _check_no_loop(bytes address, Contact contact, bytes instance)
@cython.locals(flow=Flow, uri=Uri, address=bytes, own_host=bytes, transport=bytes, is_by_stream=bint, is_there=bint)
cdef Flow _kept_flow(Registration registration, Contact contact, unsigned int reg_id)
cdef _check_first_hop(Registration registration)
cdef bint _has_ob(bytes path) except -1
@cython.locals(flow=Flow, flow_timer_s='long long')
cdef _promise_outbound(Registration registration, list headers)
cdef _check_not_here(Registration registration, Uri uri)
cdef _check_room(Registration registration, RegistrationTable table)
@cython.locals(text=bytes)
cdef long long _expires_of_request(Registration registration) except -1
@cython.locals(expires_min_s='long long')
cdef long long _granted(long long requested_s, Rules rules) except -1
@cython.locals(binding=Binding, headers=list, wants_gruu=bint)
cdef Outcome _accepted(Registration registration)
@cython.locals(expires_s='long long', parts=list, scheme=bytes, gruu=bytes)
cdef bytes _contact_line(Registration registration, Binding binding, bint wants_gruu)
cdef bytes _temporary_gruu(Registration registration, Binding binding)
