#!/bin/sh
# Installs the Debian packages named in the files given, one a line, that are not there yet; by apt, as root or with sudo.
# Without either it says what to type, and fails only if something is missing.
set -eu

wanted=$(cat "$@")
missing=""
for package in $wanted; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
# A Python that is not Debian's brings its own headers and venv.
if "${PYTHON:-python3}" -c 'import venv, ensurepip, sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null; then
    missing=$(printf '%s\n' $missing | grep -v -x -e python3-dev -e python3-venv | tr '\n' ' ' || true)
fi
[ -n "$(echo $missing)" ] || exit 0

become=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
        become=sudo
    else
        echo "These Debian packages are missing:$missing. As root, type: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "Installing by apt:$missing"
export DEBIAN_FRONTEND=noninteractive
$become apt-get update -q >/dev/null
$become env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null
