"""Floor 9: the data plane process: sockets in, sockets out."""
