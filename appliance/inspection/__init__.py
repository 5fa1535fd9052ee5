"""What operators ask of a worker: tables, a dry run of a request, a ping."""
