# cython: language_level=3
"""The nonce counts that were used, in memory that all workers of a node share (RFC 7616 3.4, 5.4).

A table of fixed size in buckets of 64 octets: one word that says up to which second of issue nonces are forgotten, and
seven words of one use each: 32 bits of its mark, and the second in which its nonce was issued. The oldest of a bucket
gives way, which has expired unless all seven are live, and from then on no nonce that is as old is believed there: its
counts cannot be known any more.

Several processes write at once, without a lock that one of them could die with: a word is read, and exchanged only if
it is still what was read. What the standard library cannot do is that exchange.
"""

from cpython.buffer cimport PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>

    enum { USES_FIRST = 0, USES_AGAIN = 1, USES_FORGOTTEN = 2, USES_FIRST_IN_PLACE = 3 };
    enum { BUCKET_WORDS = 8, ATTEMPTS = 64 };

    static uint64_t word_at(uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

    static int exchange(uint64_t *word, uint64_t seen, uint64_t wanted) {
        return __atomic_compare_exchange_n(word, &seen, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }

    static int is_there(uint64_t *bucket, uint64_t use, int except) {
        for (int i = 1; i < BUCKET_WORDS; i++)
            if (i != except && word_at(bucket + i) == use)
                return 1;
        return 0;
    }

    /* Before a use is overwritten, so that a worker that does not find it sees why. */
    static void forget_up_to(uint64_t *horizon, uint64_t second) {
        uint64_t seen;
        while ((seen = word_at(horizon)) < second && !exchange(horizon, seen, second))
            ;
    }

    static uint32_t second_of(uint64_t word) { return (uint32_t)word; }

    static int note_use(uint64_t *bucket, uint64_t use, uint32_t expired) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int oldest = 0;
            uint64_t oldest_use = 0;
            for (int i = 1; i < BUCKET_WORDS; i++) {
                uint64_t word = word_at(bucket + i);
                if (word == use)
                    return USES_AGAIN;
                if (!oldest || second_of(word) < second_of(oldest_use)) { oldest = i; oldest_use = word; }
            }
            if (word_at(bucket) >= second_of(use) || second_of(oldest_use) >= second_of(use))
                return USES_FORGOTTEN;
            if (oldest_use)
                forget_up_to(bucket, second_of(oldest_use));
            /* Another worker may have put the same use into another place in the meantime: then neither was first. */
            if (exchange(bucket + oldest, oldest_use, use)) {
                if (is_there(bucket, use, oldest))
                    return USES_AGAIN;
                return second_of(oldest_use) < expired ? USES_FIRST : USES_FIRST_IN_PLACE;
            }
        }
        return USES_FORGOTTEN;
    }
    """
    int USES_FIRST, USES_AGAIN, USES_FORGOTTEN, USES_FIRST_IN_PLACE
    int note_use(uint64_t *bucket, uint64_t use, uint32_t expired) nogil

FIRST = USES_FIRST
AGAIN = USES_AGAIN
FORGOTTEN = USES_FORGOTTEN
FIRST_IN_PLACE = USES_FIRST_IN_PLACE


cdef class NonceCounts:
    """The table in `memory`: writable, zeroes at first, 64 octets times a power of two (nonce_table.py). Else ValueError."""

    cdef Py_buffer _view
    cdef bint _is_open
    cdef uint64_t *_words
    cdef uint64_t _mask

    def __init__(self, memory):
        PyObject_GetBuffer(memory, &self._view, PyBUF_WRITABLE)
        self._is_open = True
        cdef Py_ssize_t buckets = self._view.len // 64
        if buckets < 1 or buckets & (buckets - 1) or self._view.len != buckets * 64:
            raise ValueError(f"{self._view.len} octets make no table of nonce counts")
        if <uint64_t>self._view.buf % 8:
            raise ValueError("the table of nonce counts does not begin at a word")
        self._words = <uint64_t *>self._view.buf
        self._mask = buckets - 1

    def __dealloc__(self):
        if self._is_open:
            PyBuffer_Release(&self._view)

    def use(self, uint64_t mark, uint32_t issued, uint32_t expired):
        """Note a use. `mark`: a keyed hash of nonce and count; `issued`: a second from 1 on, `expired`: those before it.

        FIRST; FIRST_IN_PLACE of a live one; AGAIN, for it was noted before; FORGOTTEN: it cannot be known any more.
        """
        cdef uint64_t use = (mark & 0xFFFFFFFF00000000) | issued
        return note_use(self._words + (mark & self._mask) * 8, use, expired)
