"""The persister: the process that writes the registration table to the disk, and removes what has expired."""
