"""Builds the image where no registry can be reached, and runs it: `make image-test`, as root on Debian, 15 minutes.

The base is a Debian with Python that debootstrap makes. Buildah follows the Dockerfile in a chroot, since Docker need
not be there. What it built is then run as the chart runs it: a root file system that is read-only, a writable /tmp,
user 10001, no capabilities; a worker with the chart's settings credits events from a real Kafka into a real Redis.
Everything made is removed again.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.deploy.image_commands import USER, VOLUME, LockedUp, credit
from tests.services import apt

ROOT: Final = Path(__file__).parents[2]
BASE: Final = "localhost/gmv-test-base"
IMAGE: Final = "localhost/gmv-test"
AUTHORITIES: Final = "etc/ssl/certs/ca-certificates.crt"
EXAMPLE: Final = ROOT / "worker" / "gmv" / "demo" / "corpus.parquet"

# What would let somebody who got in build or fetch more.
TOOLS: Final = ("gcc", "cc", "make", "uv", "pip", "git", "curl", "wget")
PACKAGES: Final = ("pip", "setuptools", "torch")


def main() -> None:
    """Build, look, run."""
    if os.geteuid() != 0:
        sys.exit("image-test makes file systems of other users: run it as root")
    if reason := apt.update() or apt.install(["buildah", "debootstrap"]):
        sys.exit(reason)
    try:
        make_base()
        arguments = (f"BASE_IMAGE={BASE}", "UV_FLAGS=--system-certs", "VERSION=test", "REVISION=test")
        named = [part for argument in arguments for part in ("--build-arg", argument)]
        build = ("buildah", "bud", "--isolation", "chroot", "--format", "docker", "--file", "docker/Dockerfile")
        run(*build, *named, "--tag", IMAGE, str(ROOT))
        with root_of(IMAGE) as root, tempfile.TemporaryDirectory(prefix="gmv-volume-") as volume:
            look(root)
            shutil.chown(volume, USER, USER)
            shutil.copy(EXAMPLE, Path(volume) / EXAMPLE.name)
            container = LockedUp(root, Path(volume), {})
            container.run("gmv --version")
            container.run("gmv doctor --only machine")
            container.run(f"gmv demo --corpus {VOLUME}/{EXAMPLE.name} --out {VOLUME}/demo")
            credit(container)
    finally:
        run("buildah", "rmi", "--force", IMAGE, BASE, check=False)
        run("buildah", "rmi", "--prune", "--force", check=False)


def make_base() -> None:
    """Make a Debian with Python that trusts whom this machine trusts."""
    with tempfile.TemporaryDirectory(prefix="gmv-base-") as folder:
        packages = "--include=python3,python3-venv,ca-certificates"
        run("debootstrap", "--variant=minbase", packages, "bookworm", folder, quiet=True)
        (Path(folder) / AUTHORITIES).write_bytes((Path("/") / AUTHORITIES).read_bytes())
        container = run("buildah", "from", "scratch", quiet=True)
        run("buildah", "add", "--quiet", container, folder, "/", quiet=True)
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        run("buildah", "config", "--env", path, container)
        run("buildah", "commit", "--quiet", "--rm", container, BASE, quiet=True)


@contextmanager
def root_of(image: str) -> Iterator[Path]:
    """Give the folder with an image's files."""
    container = run("buildah", "from", image, quiet=True)
    try:
        yield Path(run("buildah", "mount", container, quiet=True))
    finally:
        run("buildah", "rm", container, quiet=True)


def look(root: Path) -> None:
    """See that no tool was left that the image was built with."""
    folders = [root / folder for folder in ("opt/gmv/bin", "usr/local/bin", "usr/bin", "bin")]
    left = [str(folder / tool) for folder in folders for tool in TOOLS if (folder / tool).exists()]
    left += [str(package) for name in PACKAGES for package in (root / "opt/gmv/lib").glob(f"*/site-packages/{name}")]
    if left:
        sys.exit(f"left in the image: {' '.join(left)}")
    if not any((root / "opt/gmv/compiled").rglob("*.nbi")):
        sys.exit("the kernel was not compiled into the image")


def run(*command: str, quiet: bool = False, check: bool = True) -> str:
    """Run a command of this machine and return what it printed, which is shown unless it is to be quiet."""
    if not quiet:
        sys.stdout.write(f"$ {shlex.join(command[:6])}\n")
        sys.stdout.flush()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE if quiet else None, text=True)
    if check and done.returncode:
        sys.exit(f"{command[0]} ended with exit code {done.returncode}")
    return (done.stdout or "").strip()


if __name__ == "__main__":
    main()
