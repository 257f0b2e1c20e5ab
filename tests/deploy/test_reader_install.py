"""An installation without the extra `worker`: what reads and tends credits works, and all else says what is missing.

Stood in for by a folder of links to the packages that gmv's requirements lead to, less the extra's, and to no others.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import Distribution, distribution, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gmv.cli import COMMANDS, WORKER_MODULES
from gmv.errors import PackagesMissing
from gmv.ledger.open import open_ledger, open_registry
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, batch, entry

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BYTES_MAX = 200 * 10**6

NEEDS_THE_WORKER = [
    "demo",
    "index build corpus.parquet --out index",
    "attribute a.png --index i",
    "warm",
    "report --prometheus http://127.0.0.1:1",
]
BESIDE_THE_EXTRA = {"functorch", "torchgen", "pylab", "mpl_toolkits"}  # modules of its packages that gmv never imports


def needed(requirements: list[str], extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names of what the requirements lead to."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": one}) for one in {"", *extras}):
            yield requirement.name
            yield from needed(requires(requirement.name) or [], frozenset(requirement.extras))


def top_level(package: Distribution) -> set[str]:
    """What the package has in site-packages, but for its scripts."""
    return {file.parts[0] for file in package.files or () if file.parts[0] not in {"..", "__pycache__"}}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader")
    for name in {canonicalize_name(name) for name in needed(PROJECT["dependencies"])}:
        package = distribution(name)
        for top in top_level(package):
            if not (folder / top).exists():
                (folder / top).symlink_to(str(package.locate_file(top)))
    (folder / "gmv").symlink_to(ROOT / "worker" / "gmv")
    return folder


def gmv(reader: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GMV_", "PYTHON"))}
    command = [sys.executable, "-S", "-m", "gmv", *map(str, arguments)]
    return subprocess.run(
        command, env=environment | {"PYTHONPATH": str(reader)}, cwd=reader.parent, capture_output=True, text=True
    )


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    settings = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    with closing(open_registry(settings)) as registry, closing(open_ledger(settings)) as book:
        registry.create(books=1)
        registry.register(TOPIC, {0: START})
        book.commit(batch(credits={"ada": 700_000, "ben": 300_000}, entries=[entry(1)]))
    return settings.url


def test_it_is_small(reader: Path) -> None:
    size = sum(file.stat().st_size for entry in reader.iterdir() for file in entry.resolve().rglob("*.*"))
    assert 0 < size < BYTES_MAX


def test_the_modules_of_the_extra_are_known() -> None:
    names = {canonicalize_name(Requirement(one).name) for one in PROJECT["optional-dependencies"]["worker"]}
    brought = {module for module, of in packages_distributions().items() if names & set(map(canonicalize_name, of))}
    public = {module for module in brought if not module.startswith("_")}
    assert public - BESIDE_THE_EXTRA <= WORKER_MODULES


def test_credits_and_ledger_are_read(reader: Path, ledger: str) -> None:
    assert '"credit_micros":700000' in gmv(reader, "credits", "show", "ada", "--ledger", ledger, "--json").stdout
    assert "ada" in gmv(reader, "credits", "top", "--ledger", ledger).stdout
    gmv(reader, "credits", "export", "--ledger", ledger, "--out", reader.parent / "credits.csv")
    assert "ada,700000" in (reader.parent / "credits.csv").read_text()
    assert gmv(reader, "ledger", "verify", "--ledger", ledger).returncode == 0


def test_events_are_explained_and_dead_letters_listed(reader: Path, ledger: str, tmp_path: Path) -> None:
    (tmp_path / "receipts.jsonl").touch()
    (tmp_path / "dead.jsonl").touch()
    explained = gmv(reader, "explain", "e1", "--ledger", ledger, "--receipts", tmp_path / "receipts.jsonl")
    assert (explained.returncode, "Traceback" in explained.stderr) == (1, False), explained.stderr
    assert gmv(reader, "dlq", "list", "--file", tmp_path / "dead.jsonl").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(reader: Path, command: str) -> None:
    ended = gmv(reader, command, "--help")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("command", NEEDS_THE_WORKER)
def test_what_computes_says_what_is_missing(reader: Path, command: str) -> None:
    ended = gmv(reader, *command.split())
    assert ended.returncode == PackagesMissing.exit_code, ended.stderr
    assert ended.stderr.endswith("which is not installed: pip install 'gmv[worker]'\n")
