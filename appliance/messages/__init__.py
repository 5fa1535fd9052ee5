"""What travels between processes, with a number for each kind; and the slots by which calls are assigned."""
