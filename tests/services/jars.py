"""The jars of a Kafka broker: which ones, whether they are as they should be, and their download by Maven.

`python -m tests.services.jars` writes down their digests anew, after pom.xml was changed.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

JARS = Path(__file__).parents[2] / ".services" / "kafka" / "libs"
_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_DIGESTS = _HERE / "kafka-jars.sha256"
_LOG_TAIL_LINES = 20


def complaint(folder: Path = JARS) -> str | None:
    """Return what is wrong with the jars in a folder, or None if all are there and every one has its digest."""
    expected = {name: digest for digest, name in (line.split() for line in _DIGESTS.read_text().splitlines())}
    found = {jar.name: _digest(jar) for jar in folder.glob("*.jar")}
    if not found:
        return f"no jars in {folder}"
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing in {folder}"
        if name not in expected:
            return f"{name} in {folder} is not one of the broker's jars"
        if found[name] != expected[name]:
            return f"{name} in {folder} has another SHA-256 than {_DIGESTS.name} says"
    return None


def download() -> str | None:
    """Fetch the jars; return why that failed, or None. The folder is there only when all are right."""
    partial = JARS.with_name("libs.partial")
    reason = _fetch(partial) or complaint(partial)
    if reason is None:
        shutil.rmtree(JARS, ignore_errors=True)
        partial.rename(JARS)
    return reason


def write_digests() -> str | None:
    """Fetch what the pom names and write down its digests, after the pom was changed; return why that failed."""
    reason = _fetch(JARS)
    if reason is None:
        lines = (f"{_digest(jar)}  {jar.name}\n" for jar in sorted(JARS.glob("*.jar")))
        _DIGESTS.write_text("".join(lines))
    return reason


def _fetch(folder: Path) -> str | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
    command = ("mvn", "--batch-mode", "--quiet", "--file", str(_POM), *goal)
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "Maven (mvn) is not installed"
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL_LINES:])
        return f"Maven ended with exit code {done.returncode}:\n{tail}"
    return None


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(write_digests())
