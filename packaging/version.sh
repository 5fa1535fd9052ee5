#!/bin/sh
# Prints the version of this tree: that of the last tag vX.Y.Z and, behind `+git`, the number of commits since it and the
# commit. Without a tag the number is that of all commits, above 0.1.0. Without git it is 0.1.0.
# Changes that are not committed make it `.dirty`. The text is a version to Debian and to Python (PEP 440).
set -eu
cd "$(dirname "$0")/.."

base=0.1.0
if ! commit=$(git rev-parse --short=9 HEAD 2>/dev/null); then
    echo "$base"
    exit 0
fi
if described=$(git describe --tags --long --match 'v[0-9]*' 2>/dev/null); then
    tag=${described%-*-g*}
    base=${tag#v}
    count=${described#"$tag"-}
    count=${count%-g*}
else
    count=$(git rev-list --count HEAD)
fi
dirty=""
git diff --quiet HEAD 2>/dev/null || dirty=.dirty
if [ "$count" = 0 ] && [ -z "$dirty" ]; then
    echo "$base"
else
    echo "$base+git$count.g$commit$dirty"
fi
