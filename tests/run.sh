#!/bin/sh
# Everything that is tested, as `make test` calls it. Loads take minutes, and a fifth of two processors; what gives way to
# them (SCHED_IDLE, see sched(7)) takes the rest meanwhile:
#
#     both wheels, packages  ->  load                           ->  live
#                                lint, types, pure, compiled
set -eu
cd "$(dirname "$0")/.."
tox=.venv/bin/tox
log=build/beside.log
# uv, which tox installs by, knows public authorities only; the system may know one of this network.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1

# NAME, and whether it is the pure one
wheel() {
    SIGNALBOX_PURE=$2 .venv/bin/uv build --quiet --wheel --python .venv/bin/python --out-dir "build/wheels/$1" .
}

beside() {
    missed=0
    chrt --idle 0 $tox run -e lint,types || missed=1
    chrt --idle 0 $tox run -e pure --installpkg build/wheels/pure/*.whl || missed=1
    chrt --idle 0 $tox run -e compiled --installpkg build/wheels/compiled/*.whl || missed=1
    return $missed
}

rm -rf build/wheels
wheel compiled 0 &
compiling=$!
wheel pure 1
sh packaging/install-packages.sh packaging/apt-run.txt packaging/apt-test.txt
wait $compiling

beside >$log 2>&1 &
beside=$!
trap 'kill $beside 2>/dev/null || true' EXIT
failed=0
$tox run -e load --installpkg build/wheels/compiled/*.whl || failed=1
wait $beside || failed=1
trap - EXIT
cat $log
$tox run -e live --installpkg build/wheels/compiled/*.whl || failed=1
exit $failed
