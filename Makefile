# make run    build and start the appliance in the foreground, with two demo subscribers
# make cli    operate the appliance that runs (in a second terminal)
# make call   register both and place a call between them (in a second terminal)
# make test   style, types, both builds, behaviour with real peers; installs what the tests need
# make load   thousands of calls, crashes, commits, floods, overload; writes benchmarks/load.json
# make try    some tests on one build: make try TESTS=tests/proxy BUILD=compiled
# make bench  what it costs beside Kamailio, a quarter of an hour; writes benchmarks/ and docs/performance.md
# make soak   half an hour at half load: nothing may grow
# make clean  remove what was built; the state folder stays

# Debian's own where there is one: it is what the appliance runs on, and a fifth faster than one that was just compiled.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3.11)
export PYTHON
STATE ?= state
BUILT = .venv/.built
SOURCES = $(shell find appliance cli -name '*.py' -o -name '*.pyx' -o -name '*.pxd') pyproject.toml setup.py

.PHONY: run cli call test load try bench soak clean packages-run packages-test

run: $(BUILT)
	@mkdir -p -m 0700 $(STATE)
	PYTHONSAFEPATH=1 .venv/bin/signalbox run --config packaging/demo.conf --state $(STATE) --demo

cli: $(BUILT)
	@.venv/bin/signalbox cli --state $(STATE)

call: $(BUILT)
	@.venv/bin/python -m demo --state $(STATE)

test: .venv/bin/uv
	@sh tests/run.sh all

load: .venv/bin/uv
	@sh tests/run.sh load

BUILD ?= pure
TESTS ?= --ignore=tests/live tests
try: .venv/bin/uv
	@sh tests/run.sh try $(BUILD) $(TESTS)

bench: packages-test $(BUILT)
	.venv/bin/python -m benchmarks
	.venv/bin/pip install --quiet --requirement benchmarks/requirements.txt
	.venv/bin/python -m benchmarks.report

soak: packages-test $(BUILT)
	.venv/bin/python -m benchmarks.soak

$(BUILT): .venv/bin/python $(SOURCES)
	.venv/bin/pip install --quiet --upgrade pip
	.venv/bin/pip install --quiet .
	@touch $@

# Comes with tox-uv, by which tox installs.
.venv/bin/uv: .venv/bin/python
	.venv/bin/pip install --quiet --upgrade pip "tox>=4.23" tox-uv

.venv/bin/python:
	@sh packaging/install-packages.sh packaging/apt-run.txt
	$(PYTHON) -m venv .venv

packages-test:
	@sh packaging/install-packages.sh packaging/apt-run.txt packaging/apt-test.txt

clean:
	rm -rf .venv .tox build dist signalbox.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
