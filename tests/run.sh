#!/bin/sh
# Builds the wheels that are missing or old, and runs tox on them.
#
#     run.sh all                     what `make test` runs: style, types, both builds, real peers
#     run.sh load                    what `make load` runs: calls by the thousand, crashes, floods, overload
#     run.sh appliance               what `make test-appliance` runs: the Debian package in a machine of its own
#     run.sh image                   what `make test-image` runs: the appliance image in qemu
#     run.sh cluster                 what `make test-cluster` runs: failures of nodes in network namespaces, as root,
#                                    and nodes of the version PREVIOUS, a revision of git, beside the present ones
#     run.sh try BUILD [ARGUMENT]... some tests on one build, for the developer who has just changed a line
set -eu
cd "$(dirname "$0")/.."
tox=.venv/bin/tox
# uv, which tox installs by, knows public authorities only; the system may know one of this network.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1

# BUILD: pure or compiled. What is compiled is kept below build/, so a second wheel takes seconds.
wheel() {
    pure=0
    [ "$1" != pure ] || pure=1
    rm -rf "build/wheels/$1"
    SIGNALBOX_PURE=$pure .venv/bin/uv build --quiet --wheel --python .venv/bin/python --out-dir "build/wheels/$1" .
}

# ENVIRONMENT BUILD [ARGUMENT]...
tested() {
    environment=$1
    build=$2
    shift 2
    # With `--` and nothing behind it tox would run none of its own arguments.
    [ $# -eq 0 ] || set -- -- "$@"
    $tox run -e "$environment" --installpkg build/wheels/"$build"/*.whl "$@"
}

# The modules of an older version, for a cluster of two versions; none where there is no git, and its test is skipped.
previous() {
    revision=${PREVIOUS:-HEAD~20}
    rm -rf build/previous
    git rev-parse --quiet --verify "$revision^{commit}" >/dev/null || return 0
    mkdir -p build/previous/source
    git archive "$revision" | tar -x -C build/previous/source
    (cd build/previous/source && SIGNALBOX_PURE=1 ../../../.venv/bin/uv build --quiet --wheel --out-dir .. .)
    .venv/bin/python -m zipfile -e build/previous/*.whl build/previous/modules
}

packages() {
    sh packaging/install-packages.sh packaging/apt-run.txt packaging/apt-test.txt
}

# All of it, whatever fails on the way. Style and types are looked at beside the pure build, for they wait for nothing.
all() {
    # tox would close it to other users, as whom the product can run.
    mkdir -p -m 0755 .tox
    wheel compiled &
    compiling=$!
    wheel pure
    packages
    wait $compiling
    failed=0
    $tox run -e lint,types >build/style.log 2>&1 &
    style=$!
    tested pure pure || failed=1
    wait $style || failed=1
    cat build/style.log
    tested compiled compiled || failed=1
    tested live compiled || failed=1
    return $failed
}

case $1 in
    all) all ;;
    appliance)
        wheel compiled
        package=$(ls -t dist/signalbox_*.deb | head -n 1)
        SIGNALBOX_PACKAGE=$PWD/$package $tox run -e appliance --installpkg build/wheels/compiled/*.whl
        ;;
    image)
        wheel compiled
        image=$(ls -t dist/signalbox_*.raw | head -n 1)
        SIGNALBOX_IMAGE=$PWD/$image $tox run -e image --installpkg build/wheels/compiled/*.whl
        ;;
    load)
        wheel compiled
        packages
        tested load compiled
        ;;
    cluster)
        wheel compiled
        previous
        packages
        sh packaging/install-packages.sh packaging/apt-test-cluster.txt
        SIGNALBOX_PREVIOUS=$(ls -d "$PWD/build/previous/modules" 2>/dev/null || true)
        export SIGNALBOX_PREVIOUS
        tested cluster compiled
        ;;
    try)
        build=$2
        shift 2
        wheel "$build"
        tested "$build" "$build" "$@"
        ;;
esac
