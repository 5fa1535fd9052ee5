# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Datagrams in batches: one system call reads or writes up to 64 of them.

What the standard library cannot do: recvmmsg(2), sendmmsg(2) and the error queue of ip(7). A source
address that was seen before costs one dictionary look-up and gives the same Flow object; so does a
destination. Both tables are bounded. Nothing that the network does raises: a datagram that cannot be
sent comes back as a failure of its own (RFC 3261 18.4).

Knows nothing of SIP and of the event loop.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, EPERM, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from appliance.transport.flow import UDP, Flow, Outgoing

cdef extern from *:
    """
    #include <sys/socket.h>
    #include <netinet/in.h>
    #include <arpa/inet.h>
    #include <net/if.h>
    #include <linux/errqueue.h>
    #include <time.h>
    #include <string.h>

    /* The extended error among the control messages of an error queue entry; NULL when there is none. */
    static struct sock_extended_err *extended_error(struct msghdr *header) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
            if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
                return (struct sock_extended_err *)CMSG_DATA(c);
        return NULL;
    }

    /* Seconds since the kernel took the datagram in; 0 when it does not say. */
    static double age_of(struct msghdr *header) {
        struct timespec then, now;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
                memcpy(&then, CMSG_DATA(c), sizeof then);
                clock_gettime(CLOCK_REALTIME, &now);
                return (double)(now.tv_sec - then.tv_sec) + 1e-9 * (double)(now.tv_nsec - then.tv_nsec);
            }
        return 0.0;
    }
    """
    ctypedef unsigned short sa_family_t
    int AF_INET, AF_INET6, MSG_DONTWAIT, MSG_TRUNC, MSG_ERRQUEUE
    int SOL_SOCKET, SO_DOMAIN, SO_TIMESTAMPNS, IPPROTO_IP, IPPROTO_IPV6, IP_RECVERR, IPV6_RECVERR
    int SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6

    cdef struct in_addr:
        uint32_t s_addr

    cdef struct in6_addr:
        uint8_t s6_addr[16]

    cdef struct sockaddr_in:
        sa_family_t sin_family
        uint16_t sin_port
        in_addr sin_addr

    cdef struct sockaddr_in6:
        sa_family_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
        uint32_t sin6_scope_id

    cdef struct sock_extended_err:
        uint32_t ee_errno
        uint8_t ee_origin
        uint8_t ee_type
        uint8_t ee_code

    sock_extended_err *extended_error(msghdr *header)
    double age_of(msghdr *header)
    uint16_t htons(uint16_t port)
    uint16_t ntohs(uint16_t port)
    int inet_pton(int family, const char *text, void *address)
    const char *inet_ntop(int family, const void *address, char *text, socklen_t size)
    unsigned int if_nametoindex(const char *name)
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout)
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)
    ssize_t recvmsg(int fd, msghdr *message, int flags)
    int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
    int getsockopt(int fd, int level, int name, void *value, socklen_t *size)


cdef enum:
    BATCH = 64
    # The size of sockaddr_in6, the longer of the two.
    NAME_LEN = 28
    # No UDP payload is longer, and no ICMP error quotes more of one.
    PAYLOAD_MAX = 65535
    QUOTE_MAX = 2048
    # How often a datagram is tried that meets pending errors of others.
    TRIES_MAX = 16
    # The buffers of one batch begin at different places of a page: equal ones would share cache sets.
    STAGGER = 1088

BATCH_MAX = BATCH


cdef class BoundedCache:
    """A dictionary of at most about `limit` entries that forgets what was not used for longest.

    Two generations: an entry that is used moves to the young one; when that is half of the limit,
    the old one goes as a whole. So forgetting costs nothing for each entry.
    """

    def __init__(self, Py_ssize_t limit):
        self._young = {}
        self._old = {}
        self._half = max(limit // 2, 1)

    def __len__(self):
        return len(self._young) + len(self._old)

    cdef object find(self, object key):
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.pop(key, None)
            if found is not None:
                self.put(key, found)
        return found

    cdef put(self, object key, object value):
        if len(self._young) >= self._half:
            self._old = self._young
            self._young = {}
        self._young[key] = value


cdef class DatagramSocket:
    """The datagram socket of one listener, in batches.

    `fd` stays the caller's: it is neither closed nor made non-blocking here. `flow_cache_max` bounds
    the remembered sources, and the remembered destinations. `queue_max` is how many datagrams wait
    while the socket takes no more. Datagrams longer than `datagram_len_max` are counted and dropped.

    Counts since the beginning: `received`, `sent`, `truncated` (dropped on the way in), `overflowed`
    (refused because the queue was full). `has_errors`: read_errors has something to tell. `delay_s`: how long
    the first datagram of the last batch, the oldest, had waited to be read. `waiting_count`: datagrams that wait until
    the socket takes more.
    """

    def __cinit__(self):
        self._in = <mmsghdr *>calloc(BATCH, sizeof(mmsghdr))
        self._in_parts = <iovec *>calloc(BATCH, sizeof(iovec))
        self._in_names = <char *>calloc(BATCH, NAME_LEN)
        self._out = <mmsghdr *>calloc(BATCH, sizeof(mmsghdr))
        self._out_parts = <iovec *>calloc(BATCH, sizeof(iovec))
        self._out_names = <char *>calloc(BATCH, NAME_LEN)
        if not (
            self._in and self._in_parts and self._in_names and self._out and self._out_parts and self._out_names
        ):
            raise MemoryError()

    def __init__(
        self,
        int fd,
        int listener,
        Py_ssize_t flow_cache_max,
        Py_ssize_t queue_max=4096,
        size_t datagram_len_max=PAYLOAD_MAX,
    ):
        cdef int index
        self.fd = fd
        self.listener = listener
        self._flows = BoundedCache(flow_cache_max)
        self._names = BoundedCache(flow_cache_max)
        self._waiting = []
        self._queue_max = queue_max
        self._stride = min(datagram_len_max, <size_t>PAYLOAD_MAX) + STAGGER
        # Memory that no datagram reached is never touched, so its size here is only a promise.
        free(self._buffer)
        self._buffer = <char *>calloc(BATCH, self._stride)
        if not self._buffer:
            raise MemoryError()
        for index in range(BATCH):
            self._in_parts[index].iov_base = self._buffer + index * self._stride
            self._in_parts[index].iov_len = self._stride - STAGGER
            self._in[index].msg_hdr.msg_iov = &self._in_parts[index]
            self._in[index].msg_hdr.msg_iovlen = 1
            self._in[index].msg_hdr.msg_name = self._in_names + index * NAME_LEN
            self._in[index].msg_hdr.msg_namelen = NAME_LEN
            self._out[index].msg_hdr.msg_iov = &self._out_parts[index]
            self._out[index].msg_hdr.msg_iovlen = 1
        # The first of a batch is the oldest: only its age is asked for.
        self._in[0].msg_hdr.msg_control = self._control
        self._ask_for_ages()
        self._ask_for_errors()

    def __dealloc__(self):
        free(self._in)
        free(self._in_parts)
        free(self._in_names)
        free(self._buffer)
        free(self._out)
        free(self._out_parts)
        free(self._out_names)

    cdef _ask_for_ages(self):
        """Have the kernel note when it takes a datagram in."""
        cdef int yes = 1
        setsockopt(self.fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(int))

    cdef _ask_for_errors(self):
        """Have ICMP errors queued with what they quote: an unconnected socket is not told of them otherwise."""
        cdef int yes = 1
        cdef int family = 0
        cdef socklen_t size = sizeof(int)
        getsockopt(self.fd, SOL_SOCKET, SO_DOMAIN, &family, &size)
        if family == AF_INET6:
            setsockopt(self.fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(int))
        else:
            setsockopt(self.fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(int))

    @property
    def flows_count(self):
        """Sources that are remembered."""
        return len(self._flows)

    # -- in ------------------------------------------------------------------------------------------

    cpdef list read_batch(self):
        """Up to BATCH_MAX datagrams as (bytes, Flow); [] when nothing is there, or an error was."""
        cdef int count
        cdef int fault
        cdef int index
        cdef mmsghdr *message
        cdef list batch = []
        self._in[0].msg_hdr.msg_controllen = CONTROL_LEN
        # It does not wait, so other threads may: to let the interpreter go and take it again costs more.
        count = recvmmsg(self.fd, self._in, BATCH, MSG_DONTWAIT, NULL)
        fault = errno
        if count < 0 and fault != EAGAIN and fault != EINTR:
            self.has_errors = True
        # A clock that was set back makes no age.
        self.delay_s = max(age_of(&self._in[0].msg_hdr), 0.0) if count > 0 else 0.0
        for index in range(count):
            message = &self._in[index]
            if message.msg_hdr.msg_flags & MSG_TRUNC:
                self.truncated += 1
            else:
                data = PyBytes_FromStringAndSize(<char *>self._in_parts[index].iov_base, message.msg_len)
                batch.append((data, self._flow_of(<char *>message.msg_hdr.msg_name, message.msg_hdr.msg_namelen)))
            message.msg_hdr.msg_namelen = NAME_LEN
        self.received += len(batch)
        return batch

    cdef object _flow_of(self, char *name, socklen_t size):
        # The last eight bytes of an IPv4 name are padding.
        if (<sockaddr_in *>name).sin_family == AF_INET and size > 8:
            size = 8
        key = PyBytes_FromStringAndSize(name, size)
        flow = self._flows.find(key)
        if flow is None:
            flow = Flow(UDP, self.listener, remote_of(name))
            self._flows.put(key, flow)
        return flow

    def read_errors(self):
        """What ICMP says of datagrams sent before: (their first bytes, Flow to where they went).

        At most BATCH_MAX for each call. Only what RFC 3261 18.4 calls a failure: unreachable hosts,
        networks, protocols and ports, and parameter problems.
        """
        cdef char[QUOTE_MAX] quote
        cdef char[CONTROL_LEN] control
        cdef char[NAME_LEN] name
        cdef iovec part
        cdef msghdr header
        cdef ssize_t size
        cdef int count
        cdef list errors = []
        self.has_errors = False
        part.iov_base = quote
        part.iov_len = QUOTE_MAX
        for count in range(BATCH):
            memset(&header, 0, sizeof(header))
            header.msg_name = name
            header.msg_namelen = NAME_LEN
            header.msg_iov = &part
            header.msg_iovlen = 1
            header.msg_control = control
            header.msg_controllen = CONTROL_LEN
            size = recvmsg(self.fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT)
            if size < 0:
                break
            if header.msg_namelen >= 16 and is_unreachable(extended_error(&header)):
                flow = Flow(UDP, self.listener, remote_of(name))
                errors.append((PyBytes_FromStringAndSize(quote, size), flow))
        else:
            self.has_errors = True
        return errors

    # -- out -----------------------------------------------------------------------------------------

    cpdef list write_batch(self, list parcels):
        """Send, in order, what waits and then `parcels`; gives back those that cannot be sent.

        A parcel is (whose it is, data, remote address), for a tuple is read fast by this module in both builds.
        What the socket does not take now waits for the next call, which may bring an empty list. Those that a rule of
        this machine's firewall drops are also in `denied`, until the next call.
        """
        cdef list failures = []
        cdef list queue = self._waiting + parcels if self._waiting else parcels
        cdef Py_ssize_t begin = 0
        cdef Py_ssize_t size = len(queue)
        self._waiting = []
        self.denied = None
        while begin < size and not self._waiting:
            begin = self._send(queue, begin, failures)
        if self._waiting:
            self._waiting.extend(queue[begin:])
            if len(self._waiting) > self._queue_max:
                self.overflowed += len(self._waiting) - self._queue_max
                failures.extend(self._waiting[self._queue_max :])
                del self._waiting[self._queue_max :]
        self.waiting_count = len(self._waiting)
        return failures

    cdef Py_ssize_t _send(self, list queue, Py_ssize_t begin, list failures) except -1:
        """Send one batch of `queue` from `begin` on; returns where the next one begins.

        When the socket takes no more, what is left of this batch goes to _waiting.
        """
        cdef list batch = []
        cdef tuple parcel
        cdef Py_ssize_t end = begin
        cdef unsigned int count
        cdef unsigned int done = 0
        cdef int tries = 0
        cdef int sent
        cdef int fault
        while end < len(queue) and len(batch) < BATCH:
            parcel = queue[end]
            end += 1
            if self._address(parcel, len(batch)):
                batch.append(parcel)
            else:
                failures.append(parcel)
        count = <unsigned int>len(batch)
        while done < count:
            sent = sendmmsg(self.fd, self._out + done, count - done, MSG_DONTWAIT)
            fault = errno
            if sent > 0:
                done += sent
                self.sent += sent
                tries = 0
            elif fault == EAGAIN:
                self._waiting = batch[done:]
                break
            elif fault == EPERM:
                self.denied = self.denied or []
                self.denied.append(batch[done])
                failures.append(batch[done])
                done += 1
            elif fault != EINTR:
                # The fault may be the pending ICMP error of a datagram sent before: reading it clears it. While many
                # peers are unreachable there is soon another one, which is no fault of this datagram's either.
                self.has_errors = True
                tries += 1
                if tries == TRIES_MAX:
                    failures.append(batch[done])
                    done += 1
                    tries = 0
        return end

    cdef bint _address(self, tuple parcel, Py_ssize_t slot) except -1:
        """Point a slot of the batch at the data and the address; False for an address that is none."""
        cdef mmsghdr *message = &self._out[slot]
        cdef object data = parcel[1]
        cdef object remote = parcel[2]
        cdef object name = self._names.find(remote)
        if name is None:
            name = name_of(remote)
            self._names.put(remote, name)
        if not name:
            return False
        if type(data) is not bytes:
            raise TypeError("the data of a datagram are bytes")
        # The queue holds the data, and the copy outlives a name that the cache forgets.
        memcpy(self._out_names + slot * NAME_LEN, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        message.msg_hdr.msg_name = self._out_names + slot * NAME_LEN
        message.msg_hdr.msg_namelen = <socklen_t>PyBytes_GET_SIZE(name)
        self._out_parts[slot].iov_base = PyBytes_AS_STRING(data)
        self._out_parts[slot].iov_len = PyBytes_GET_SIZE(data)
        return True


cdef tuple remote_of(const char *name):
    """(address, port) of a socket address; link-local IPv6 addresses keep their scope."""
    cdef char[64] text
    cdef sockaddr_in6 *six = <sockaddr_in6 *>name
    cdef sockaddr_in *four = <sockaddr_in *>name
    if four.sin_family == AF_INET:
        inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text))
        return text.decode("ascii"), ntohs(four.sin_port)
    inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text))
    address = text.decode("ascii")
    if six.sin6_scope_id:
        address += "%%%d" % six.sin6_scope_id
    return address, ntohs(six.sin6_port)


cdef bytes name_of(object remote):
    """The socket address of (address, port); b"" when it is none."""
    cdef sockaddr_in four
    cdef sockaddr_in6 six
    address, port = remote
    if not isinstance(address, str) or not isinstance(port, int) or not 0 < port <= 65535:
        return b""
    text, _, scope = address.partition("%")
    if not text.isascii() or not scope.isascii():
        return b""
    octets = text.encode("ascii")
    memset(&four, 0, sizeof(four))
    memset(&six, 0, sizeof(six))
    if inet_pton(AF_INET, PyBytes_AS_STRING(octets), &four.sin_addr) == 1:
        four.sin_family = AF_INET
        four.sin_port = htons(port)
        return PyBytes_FromStringAndSize(<char *>&four, 16)
    if inet_pton(AF_INET6, PyBytes_AS_STRING(octets), &six.sin6_addr) != 1:
        return b""
    six.sin6_family = AF_INET6
    six.sin6_port = htons(port)
    if scope.isdigit() and len(scope) < 10:
        six.sin6_scope_id = int(scope)
    elif scope:
        name = scope.encode("ascii")
        six.sin6_scope_id = if_nametoindex(PyBytes_AS_STRING(name))
    return PyBytes_FromStringAndSize(<char *>&six, NAME_LEN)


cdef bint is_unreachable(sock_extended_err *error) noexcept:
    """RFC 3261 18.4: destination unreachable (but for "fragmentation needed") and parameter problem."""
    if error == NULL:
        return False
    if error.ee_origin == SO_EE_ORIGIN_ICMP:
        return (error.ee_type == 3 and error.ee_code != 4) or error.ee_type == 12
    return error.ee_origin == SO_EE_ORIGIN_ICMP6 and (error.ee_type == 1 or error.ee_type == 4)
