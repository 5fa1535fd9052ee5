cimport cython

from appliance.routing.route_prefixes cimport covers, key_of_number

cdef tuple NOWHERE
cdef int LISTS_KEPT_MAX


@cython.final
cdef class RouteMatch:
    cdef readonly str table
    cdef readonly tuple entries
    cdef readonly Py_ssize_t place
    cdef unsigned long long _key


@cython.final
cdef class RouteTables:
    cdef object _all_keys, _all_lists, _ends, _texts
    cdef const unsigned long long[:] _keys
    cdef const unsigned int[:] _parents, _lists
    cdef dict _tables, _kept
    cdef readonly dict references

    @cython.locals(first=Py_ssize_t, end=Py_ssize_t, place=Py_ssize_t)
    cpdef RouteMatch find(self, str table, bytes number)
    @cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t, place=Py_ssize_t)
    cdef Py_ssize_t _place_of(self, unsigned long long key, Py_ssize_t first, Py_ssize_t end) except -2
    @cython.locals(parent=Py_ssize_t)
    cdef Py_ssize_t _parent_of(self, Py_ssize_t place) except -2
    @cython.locals(place=Py_ssize_t)
    cpdef RouteMatch shorter(self, RouteMatch match)
    cdef RouteMatch _match_at(self, str table, Py_ssize_t place)
    @cython.locals(entries=tuple)
    cdef tuple _entries_of(self, object number)
    cdef str _text_of(self, object number)
    cpdef bint has_same(self, str table, RouteTables other) except -1
