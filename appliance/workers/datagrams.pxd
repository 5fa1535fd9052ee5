# What the doors call, and what that needs to be known.
cdef extern from "<sys/socket.h>":
    ctypedef unsigned int socklen_t

    cdef struct iovec:
        void *iov_base
        size_t iov_len

    cdef struct msghdr:
        void *msg_name
        socklen_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags

    cdef struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len


cdef enum:
    CONTROL_LEN = 512


cdef class BoundedCache:
    cdef dict _young
    cdef dict _old
    cdef Py_ssize_t _half

    cdef object find(self, object key)
    cdef put(self, object key, object value)


cdef class DatagramSocket:
    cdef readonly int fd
    cdef readonly int listener
    cdef readonly unsigned long long received
    cdef readonly unsigned long long sent
    cdef readonly unsigned long long truncated
    cdef readonly unsigned long long overflowed
    cdef readonly bint has_errors
    cdef readonly double delay_s
    cdef readonly Py_ssize_t waiting_count
    cdef readonly list denied
    cdef char[CONTROL_LEN] _control
    cdef BoundedCache _flows
    cdef BoundedCache _names
    cdef list _waiting
    cdef Py_ssize_t _queue_max
    cdef size_t _stride
    cdef mmsghdr *_in
    cdef iovec *_in_parts
    cdef char *_in_names
    cdef char *_buffer
    cdef mmsghdr *_out
    cdef iovec *_out_parts
    cdef char *_out_names

    cdef _ask_for_ages(self)
    cdef _ask_for_errors(self)
    cpdef list read_batch(self)
    cdef object _flow_of(self, char *name, socklen_t size)
    cpdef list write_batch(self, list parcels)
    cdef Py_ssize_t _send(self, list queue, Py_ssize_t begin, list failures) except -1
    cdef bint _address(self, tuple parcel, Py_ssize_t slot) except -1
