"""What `make services` says of a machine: programs that are absent or too old, and jars that are not the right ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import jars, valkey
from tests.services.go_tools import TOOLS, complaints
from tests.services.install import PROGRAMS, Need

ROOT = Path(__file__).parents[2]
JAVA = Need(("java", "other-java"), ("default-jre-headless",), version=("-version", 17))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def add_program(folder: Path, name: str, said: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    (folder / name).chmod(0o755)


def test_a_program_that_is_not_there_is_named_with_its_package(programs: Path) -> None:
    assert JAVA.complaint() == "java is not installed"
    assert JAVA.advice == "install java, version 17 or newer (Debian: default-jre-headless)"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ('openjdk version "17.0.15" 2025-04-15', None),
        ('openjdk version "21" 2023-09-19', None),
        ('openjdk version "11.0.20"', "is of version 11, and 17 or newer is needed"),
        ('java version "1.8.0_382"', "is of version 1, and 17 or newer is needed"),
        ("no runtime", "does not say its version"),
    ],
)
def test_a_program_that_is_too_old_is_not_good_enough(programs: Path, said: str, complaint: str | None) -> None:
    add_program(programs, "other-java", said)
    assert JAVA.complaint() == (complaint and f"{programs / 'other-java'} {complaint}")


@pytest.mark.servers
def test_every_program_of_the_suite_is_there() -> None:
    assert [complaint for need in PROGRAMS if (complaint := need.complaint())] == []
    assert complaints() == []
    assert valkey.complaint() is None


def test_who_may_not_install_is_told_everything_that_is_missing_and_what_to_do(programs: Path) -> None:
    """In a copy of this folder, which has neither jars nor programs, with nothing on PATH and no package index."""
    here = programs / "checkout"
    shutil.copytree(ROOT / "tests" / "services", here / "tests" / "services")
    command = [sys.executable, "-m", "tests.services.install"]
    offline = os.environ | {"PIP_NO_INDEX": "1"}
    done = subprocess.run(command, cwd=here, env=offline, capture_output=True, text=True)

    assert done.returncode == 1
    assert "there is no apt-get here to install redis-server" in done.stderr
    for need in PROGRAMS:
        assert f"{need.names[0]} is not installed: {need.advice}" in done.stderr
    assert "Kafka cannot be run, no jars in" in done.stderr
    assert "there is no Go 1.24 or newer on PATH, and none could be fetched: " in done.stderr
    assert "valkey-server is not installed: put it on PATH, or run `make services`" in done.stderr
    for tool in TOOLS:
        assert f"{tool.name} is not built: put Go 1.24 or newer on PATH" in done.stderr


@pytest.mark.servers
def test_the_jars_are_those_of_the_digests() -> None:
    assert jars.complaint() is None


@pytest.mark.servers
def test_a_jar_with_a_flipped_byte_a_lost_one_and_a_stranger_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "libs"
    shutil.copytree(jars.JARS, folder)
    jar = folder / "jspecify-1.0.0.jar"
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.write_bytes(content)
    assert jars.complaint(folder) == f"{jar.name} in {folder} has another SHA-256 than kafka-jars.sha256 says"

    jar.unlink()
    assert jars.complaint(folder) == f"{jar.name} is missing in {folder}"

    shutil.copy(jars.JARS / jar.name, folder)
    (folder / "a-stranger.jar").touch()
    assert jars.complaint(folder) == f"a-stranger.jar in {folder} is not one of the broker's jars"
