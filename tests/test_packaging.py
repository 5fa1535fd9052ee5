"""What the build installs: pinned by hash, and complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from appliance.catalogue.choices import LISTENER_ROLE
from appliance.commands.check import check
from tests.certificate_authority import CertificateAuthority

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "packaging/requirements.lock").read_text()
PINNED = re.compile(r"^([a-z0-9-]+)==\S+.*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


def test_all_that_the_product_and_its_build_need_is_pinned_by_hash() -> None:
    wanted = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    pinned = {found[1] for found in PINNED.finditer(LOCK)}
    assert {name_of(requirement) for requirement in wanted} <= pinned
    assert len(pinned) == len(re.findall(r"^[a-z].*==", LOCK, re.MULTILINE))


def test_the_lock_is_made_from_what_the_build_needs() -> None:
    listed = (ROOT / "packaging/build.in").read_text().splitlines()
    assert set(PROJECT["build-system"]["requires"]) <= set(listed)


def test_make_installs_nothing_else() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes --requirement $(LOCK)" in makefile
    assert "pip install --quiet --no-deps --no-build-isolation ." in makefile


@pytest.mark.parametrize("path", sorted((ROOT / "packaging/examples").glob("*.conf")), ids=lambda path: path.name)
def test_every_example_is_a_valid_configuration(path: Path, tmp_path: Path) -> None:
    # The files of certificates are the operator's.
    CertificateAuthority(tmp_path).issue("edge", "DNS:example.com")
    example = tmp_path / path.name
    example.write_text(path.read_text().replace("/etc/signalbox/tls/", f"{tmp_path}/"))
    assert " is valid: " in check(example)


def test_the_first_configuration_of_the_package_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "packaging/debian/signalbox.conf.in").read_text()
    values = {"@HOSTNAME@": "box", "@DOMAIN@": "box.example.com", "@ADDRESS@": "192.0.2.10"}
    for name, value in values.items():
        text = text.replace(name, value)
    (tmp_path / "signalbox.conf").write_text(text)
    assert " is valid: 1 listener, domains: box.example.com, 192.0.2.10." in check(tmp_path / "signalbox.conf")


def test_each_role_has_an_example() -> None:
    texts = [path.read_text() for path in (ROOT / "packaging/examples").glob("*.conf")]
    for role in LISTENER_ROLE.words:
        assert any(f"  role {role}\n" in text for text in texts), role
