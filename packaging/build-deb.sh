#!/bin/sh
# Builds dist/signalbox_VERSION_ARCHITECTURE.deb from this tree (`make deb`), and has lintian look at it.
#
# The wheel of Signalbox and those of its dependencies, which are pinned by hash, are installed into a folder below
# build/deb; debhelper packs that folder. With VERSION in the environment the package has another version than the tree's.
set -eu
cd "$(dirname "$0")/.."

python=.venv/bin/python
version=${VERSION:-$(sh packaging/version.sh)}
work=build/deb
tree=$work/signalbox-$version
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH SIGNALBOX_VERSION="$version"

gather_wheels() {
    rm -rf "$work/own"
    $python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/own" .
    # etcd3 comes as source only; the hash pins that as well.
    $python -m pip download --quiet --require-hashes --only-binary :all: --no-binary etcd3 --no-build-isolation \
        --dest "$work/wheels" --requirement packaging/requirements.lock 2>"$work/download.log" \
        || { cat "$work/download.log" >&2; exit 1; }
    $python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheels" "$work"/wheels/etcd3-*.tar.gz
}

# What only a compiler needs is left out, and what only a test needs.
install_packages() {
    $python -m pip install --quiet --no-compile --no-index --find-links "$work/wheels" --no-cache-dir \
        --root-user-action=ignore --target "$tree/site" "$work"/own/*.whl
    rm -rf "$tree/site/bin" "$tree/site/sqlalchemy/testing" "$tree/site/zmq/tests" "$tree/site/certifi/tests"
    # Databases that the configuration cannot name.
    for dialect in mssql mysql oracle; do
        rm -rf "$tree/site/sqlalchemy/dialects/$dialect"
    done
    find "$tree/site" -type f \( -name .DS_Store -o -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) -delete
    find "$tree/site" -type f -name '*.py' -exec sed -i -e '1s,^#!.*python.*,# no command,' {} +
    find "$tree/site" -type f -exec chmod 0644 {} +
}

# Man pages and completion, by the packages that are packed: they say what this version does.
write_pages() {
    PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$tree/site \
        $python -m appliance.commands.man_pages "$tree/man" "$version"
    PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$tree/site \
        $python -m appliance.commands.check_upgrade >"$tree/facts.json"
}

write_changelog() {
    printf 'signalbox (%s) bookworm; urgency=medium\n\n  * Commit %s.\n\n' \
        "$version" "$(git rev-parse HEAD 2>/dev/null || echo unknown)"
    printf ' -- Signalbox <signalbox@localhost>  %s\n' "$(date --utc --rfc-email --date "@$SOURCE_DATE_EPOCH")"
}

# What is committed makes the same package again.
made=dist/signalbox_${version}_$(dpkg --print-architecture).deb
if [ -e "$made" ] && [ "$made" -nt .venv/.installed ] && [ -z "$(git status --porcelain 2>&1)" ]; then
    echo "$made is of this commit already."
    # The newest one is what an image is made of.
    touch "$made"
    exit 0
fi

rm -rf "$work"/signalbox-*
mkdir -p "$tree" dist
gather_wheels
cp -r packaging/debian "$tree/debian"
cp -r docs mibs CHANGELOG.md README.md packaging/examples "$tree/"
install_packages
write_pages
write_changelog >"$tree/debian/changelog"
$python packaging/write_copyright.py "$tree/site" packaging/bundled-libraries.txt >"$tree/debian/copyright"
if ! (cd "$tree" && dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes) >"$work/build.log" 2>&1; then
    tail -n 40 "$work/build.log" >&2
    exit 1
fi
mv "$work"/signalbox_"$version"_*.deb dist/
rm -rf "$work"/signalbox_*
package=$(ls dist/signalbox_"$version"_*.deb)
lintian --allow-root --fail-on error --tag-display-limit 0 "$package"
(cd dist && sha256sum "$(basename "$package")" >"$(basename "$package").sha256")
echo "$package ($(du -h "$package" | cut -f1))"
