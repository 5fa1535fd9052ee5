"""The appliance image: what its first boot asks and writes, and a boot of it in qemu (`make test-image`)."""
