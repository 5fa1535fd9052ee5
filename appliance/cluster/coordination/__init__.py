"""What etcd holds of a cluster: members, keys, take-overs. The cluster process and its decisions; no SIP."""
