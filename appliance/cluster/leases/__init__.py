"""Virtual addresses: votes, promises, and leases in the kernel. The lease process and its guard; no SIP."""
