"""What spans machines: members, votes, and the leases by which one node at a time owns a virtual address."""
