"""The SNMP agent of a node: a process of its own, which reads what the supervisor knows."""
