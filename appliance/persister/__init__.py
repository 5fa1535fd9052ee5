"""The persister: the process that carries the registration table to the disk, and lets go what is over."""
