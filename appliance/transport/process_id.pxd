cpdef int process_id(int node, int worker) noexcept
cpdef int node_of(int process) noexcept
cpdef int worker_of(int process) noexcept
cpdef int supervisor_of(int process) noexcept
