# make run    build and start the appliance in the foreground, with two demo subscribers
# make cli    operate the appliance that runs (in a second terminal)
# make call   register both and place a call between them (in a second terminal)
# make cluster   three nodes, etcd and a virtual address on this machine, as root; a node is killed; Ctrl-C ends it
# make test   style, types, both builds, behaviour with real peers; installs what the tests need
# make load   thousands of calls, crashes, commits, floods, overload; writes benchmarks/load.json
# make test-cluster   failures of nodes in network namespaces, as root; writes benchmarks/cluster.json
# make try    some tests on one build: make try TESTS=tests/proxy BUILD=compiled
# make bench  what it costs beside Kamailio, a quarter of an hour; writes benchmarks/ and docs/performance.md
# make chaos  random faults of a cluster under calls and registrations, as root: MINUTES=60 SEED=...; benchmarks/chaos.json
# make soak   half an hour at half load: nothing may grow; then the leases of a cluster with ten thousand seeds of faults
# make deb    build the Debian package; it is put into dist/
# make image  a disk image of Debian 12 with the package, raw and qcow2, in dist/; needs root
# make test-appliance   install the package on a fresh Debian 12 that systemd-nspawn boots, and try it; needs root
# make test-image   boot the image in qemu, drive its first boot, register and log in; needs root
# make lock   pin the newest releases of what the product and its build need, by hash
# make clean  remove what was built; the state folder stays

# Debian's own where there is one: it is what the appliance runs on, and a fifth faster than one that was just compiled.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3.11)
export PYTHON
STATE ?= state
BUILT = .venv/.built
LOCK = packaging/requirements.lock
SOURCES = $(shell find appliance cli -name '*.py' -o -name '*.pyx' -o -name '*.pxd') pyproject.toml setup.py

.PHONY: run cli call cluster lock deb image test test-appliance test-image test-cluster load try bench chaos soak clean packages-run packages-deb packages-image packages-nspawn packages-test

run: $(BUILT)
	@mkdir -p -m 0700 $(STATE)
	PYTHONSAFEPATH=1 .venv/bin/signalbox run --config packaging/demo.conf --state $(STATE) --demo

# What needs a running appliance builds nothing: without one it says so at once.
cli call: is-built = [ -e $(BUILT) ] || { echo "No appliance is running here. In another terminal, type: make run"; exit 1; }

cli:
	@$(is-built)
	@.venv/bin/signalbox cli --state $(STATE)

call:
	@$(is-built)
	@.venv/bin/python -m demo --state $(STATE)

cluster: $(BUILT)
	@sh packaging/install-packages.sh packaging/apt-cluster.txt
	@PYTHONSAFEPATH= .venv/bin/python -m demo.cluster

lock: .venv/bin/uv
	.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	    --custom-compile-command "make lock" pyproject.toml packaging/build.in --output-file $(LOCK)

deb: packages-deb .venv/.installed
	@sh packaging/build-deb.sh

image: packages-image deb
	@sh packaging/build-image.sh

test: .venv/bin/uv
	@sh tests/run.sh all

test-appliance: packages-nspawn deb .venv/bin/uv
	@sh tests/run.sh appliance

test-image: packages-test image .venv/bin/uv
	@sh packaging/install-packages.sh packaging/apt-qemu.txt
	@sh tests/run.sh image

load: .venv/bin/uv
	@sh tests/run.sh load

test-cluster: .venv/bin/uv
	@sh tests/run.sh cluster

BUILD ?= pure
TESTS ?= --ignore=tests/live tests
try: .venv/bin/uv
	@sh tests/run.sh try $(BUILD) $(TESTS)

bench: packages-test $(BUILT)
	.venv/bin/python -m benchmarks
	.venv/bin/pip install --quiet --requirement benchmarks/requirements.txt
	.venv/bin/python -m benchmarks.report

MINUTES ?= 60
chaos: packages-test $(BUILT)
	.venv/bin/pip install --quiet "pytest>=8"
	.venv/bin/python -m tests.live.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

soak: packages-test $(BUILT)
	.venv/bin/python -m benchmarks.soak
	.venv/bin/python -m tests.cluster.leases.lease_faults 1 10000

$(BUILT): .venv/.installed $(SOURCES)
	@echo "Compiling Signalbox (a minute or two the first time) ..."
	@.venv/bin/pip install --quiet --no-deps --no-build-isolation .
	@touch $@

# Nothing is installed but what the lock file names, octet by octet.
.venv/.installed: $(LOCK) .venv/bin/python
	@echo "Installing what Signalbox needs ..."
	@.venv/bin/pip install --quiet --require-hashes --requirement $(LOCK)
	@touch $@

# Comes with tox-uv, by which tox installs.
.venv/bin/uv: .venv/bin/python
	.venv/bin/pip install --quiet --upgrade pip "tox>=4.23" tox-uv

.venv/bin/python:
	@sh packaging/install-packages.sh packaging/apt-run.txt
	@echo "Making the Python environment .venv ..."
	@$(PYTHON) -m venv .venv

packages-deb:
	@sh packaging/install-packages.sh packaging/apt-run.txt packaging/apt-deb.txt

packages-image:
	@sh packaging/install-packages.sh packaging/apt-image.txt

packages-nspawn:
	@sh packaging/install-packages.sh packaging/apt-nspawn.txt packaging/apt-test.txt

packages-test:
	@sh packaging/install-packages.sh packaging/apt-run.txt packaging/apt-test.txt

clean:
	rm -rf .venv .tox build dist signalbox.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
