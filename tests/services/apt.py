"""Packages of Debian and its kin, installed where this user may, without starting the daemons they bring."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Debian asks this program whether a service may be started; 101 says no.
_POLICY = Path("/usr/sbin/policy-rc.d")
_LOCK_SECONDS = 300
_LOG_TAIL_LINES = 20


def prefix() -> list[str] | None:
    """Return what a command needs in front to run as root without a question, or None if this user may not."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    return sudo if shutil.which("sudo") and _run([*sudo, "true"]) is None else None


def update() -> str | None:
    """Fetch the lists of packages; return why that failed, or None."""
    return _apt_get("update", "-q")


def install(packages: Sequence[str]) -> str | None:
    """Install packages without what they recommend, and start no daemon of theirs; return why that failed, or None."""
    with _no_service_starts():
        return _apt_get("install", "-q", "-y", "--no-install-recommends", *packages)


def disable(daemons: Sequence[str]) -> str | None:
    """Let no daemon start with the machine; return why that failed, or None. Without systemd nothing starts them."""
    if not shutil.which("systemctl"):
        return None
    return _run([*(prefix() or ()), "systemctl", "--quiet", "disable", *daemons])


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """A daemon on its usual port would be in the way of a person's own; the tests start theirs themselves."""
    if _POLICY.exists():  # a container has one, or the administrator's word stands
        yield
        return
    root = prefix() or []
    subprocess.run([*root, "tee", _POLICY], input=b"#!/bin/sh\nexit 101\n", stdout=subprocess.DEVNULL, check=True)
    try:
        subprocess.run([*root, "chmod", "755", _POLICY], check=True)
        yield
    finally:
        subprocess.run([*root, "rm", "-f", _POLICY], check=True)


def _apt_get(*arguments: str) -> str | None:
    lock = f"DPkg::Lock::Timeout={_LOCK_SECONDS}"
    environment = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
    return _run([*(prefix() or ()), *environment, "apt-get", "-o", lock, *arguments])


def _run(command: Sequence[str]) -> str | None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode == 0:
        return None
    tail = "\n".join(done.stdout.splitlines()[-_LOG_TAIL_LINES:])
    return f"{' '.join(command)} ended with exit code {done.returncode}:\n{tail}"
