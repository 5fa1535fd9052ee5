"""What Signalbox costs, beside Kamailio and the kernel's own floor: `python -m benchmarks`, `make bench`."""
