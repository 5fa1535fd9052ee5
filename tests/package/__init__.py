"""The Debian package in a fresh Debian 12 with a running systemd (systemd-nspawn): `make test-appliance`."""
