cimport cython


@cython.locals(now=cython.ulonglong, after=cython.ulonglong)
cpdef unsigned long long next_version(double wall_time, int node, unsigned long long replaced) noexcept
cpdef int maker_of(unsigned long long version) noexcept
cpdef double made_at(unsigned long long version) noexcept
cpdef long long second_of(unsigned long long version) noexcept
