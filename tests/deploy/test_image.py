"""The Dockerfile, read: what it is made of is there, locked, and nothing else gets in. Building it takes minutes:
`make image-test`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.deploy.rendered_chart import ROOT, worker
from tests.deploy.rendered_chart import manifests as rendered

DOCKERFILE = ROOT / "docker" / "Dockerfile"


def instructions() -> Iterator[tuple[str, str]]:
    """(word, rest) of each instruction, with its continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def final_stage() -> list[tuple[str, str]]:
    found = list(instructions())
    last = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


def test_hadolint_finds_nothing_to_complain_of() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    sources = [source for each in copied for source in each]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert sources
    assert ignored[1] == "*"
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {*sources} == let_in
    tracked = subprocess.run(["git", "ls-files", *sources], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.split("/")[0] for name in tracked.stdout.splitlines()} == let_in


def test_every_install_is_locked_by_digest() -> None:
    commands = [part.strip() for word, rest in instructions() if word == "RUN" for part in rest.split("&&")]
    installs = [command for command in commands if re.search(r"\bpip install\b", command)]

    assert len(installs) == 3
    assert all("--require-hashes" in command or command.endswith("--no-deps dist/gmv-*.whl") for command in installs)
    assert any(command.endswith("--no-deps --no-build-isolation --wheel-dir dist .") for command in commands)
    assert not any(word == "ADD" or "curl" in rest or "wget" in rest for word, rest in instructions())


def test_the_base_is_an_argument_and_pinned() -> None:
    bases = [rest for word, rest in instructions() if word == "FROM"]
    (default,) = (rest for word, rest in instructions() if word == "ARG" and rest.startswith("BASE_IMAGE="))
    assert all(base.split()[0] == "${BASE_IMAGE}" for base in bases)
    assert re.fullmatch(r"BASE_IMAGE=\S+:\d+\.\d+\.\d+-\S+", default)


def test_the_image_holds_the_environment_and_runs_as_the_charts_user() -> None:
    stage = final_stage()
    user = next(rest for word, rest in stage if word == "USER")
    pod, _ = worker(rendered("small"))

    assert [rest for word, rest in stage if word == "COPY"] == ["--from=build /opt/gmv /opt/gmv"]
    assert user == f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert "install --directory --owner gmv --group root --mode 0775 /var/lib/gmv" in dict(stage)["RUN"]
    assert "HOME=/tmp" in dict(stage)["ENV"].split()  # a user without an entry in /etc/passwd has no other
    assert ("ENTRYPOINT", '["/opt/gmv/bin/gmv"]') in stage
    assert {"HEALTHCHECK", "LABEL", "EXPOSE"} <= {word for word, _ in stage}


def test_the_kernel_is_compiled_where_workers_look_for_it() -> None:
    """Numba copies it from a root file system that is read-only; see `gmv.compiled`."""
    folders = re.findall(r"NUMBA_CACHE_DIR=(\S+)", DOCKERFILE.read_text())
    assert len(folders) == 2
    assert len(set(folders)) == 1
    assert fnmatch(folders[0], "/opt/gmv/*")
    assert ("RUN", "/opt/gmv/bin/gmv warm") in list(instructions())


def test_a_checkouts_own_files_stay_out() -> None:
    let_in = [Path(line[1:]) for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert not {".git", ".venv", ".services", "tests", "examples", "."} & {path.parts[0] for path in let_in}
