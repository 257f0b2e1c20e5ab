"""An installation without the extra `worker`: what reads and tends credits works, and all else says what is missing."""

from contextlib import closing
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gmv.cli import COMMANDS, EXTRAS_OF_MODULES
from gmv.errors import PackagesMissing
from gmv.ledger.open import open_ledger, open_registry
from gmv.settings import LedgerSettings
from tests.deploy.installation import PROJECT, installed, run
from tests.ledger.batches import START, TOPIC, batch, entry

BYTES_MAX = 200 * 10**6

NEEDS_THE_WORKER = [
    "demo",
    "index build corpus.parquet --out index",
    "attribute a.png --index i",
    "warm",
    "report --prometheus http://127.0.0.1:1",
]
BESIDE_THE_EXTRAS = {"functorch", "torchgen", "pylab", "mpl_toolkits"}  # of their packages; gmv never imports them


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("reader"), PROJECT["dependencies"])


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


@pytest.mark.parametrize("extra", ["worker", "torch"])
def test_the_modules_of_the_extras_are_known(extra: str) -> None:
    names = {canonicalize_name(Requirement(one).name) for one in PROJECT["optional-dependencies"][extra]}
    brought = {module for module, of in packages_distributions().items() if names & set(map(canonicalize_name, of))}
    public = {module for module in brought if not module.startswith("_")}
    assert public
    assert {extra in EXTRAS_OF_MODULES[module].split(",") for module in public - BESIDE_THE_EXTRAS} == {True}


def test_credits_and_ledger_are_read(reader: Path, ledger: str) -> None:
    assert '"credit_micros":700000' in run(reader, "credits", "show", "ada", "--ledger", ledger, "--json").stdout
    assert "ada" in run(reader, "credits", "top", "--ledger", ledger).stdout
    run(reader, "credits", "export", "--ledger", ledger, "--out", reader.parent / "credits.csv")
    assert "ada,700000" in (reader.parent / "credits.csv").read_text()
    assert run(reader, "ledger", "verify", "--ledger", ledger).returncode == 0


def test_events_are_explained_and_dead_letters_listed(reader: Path, ledger: str, tmp_path: Path) -> None:
    (tmp_path / "receipts.jsonl").touch()
    (tmp_path / "dead.jsonl").touch()
    explained = run(reader, "explain", "e1", "--ledger", ledger, "--receipts", tmp_path / "receipts.jsonl")
    assert (explained.returncode, "Traceback" in explained.stderr) == (1, False), explained.stderr
    assert run(reader, "dlq", "list", "--file", tmp_path / "dead.jsonl").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(reader: Path, command: str) -> None:
    ended = run(reader, command, "--help")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("command", NEEDS_THE_WORKER)
def test_what_computes_says_what_is_missing(reader: Path, command: str) -> None:
    ended = run(reader, *command.split())
    assert ended.returncode == PackagesMissing.exit_code, ended.stderr
    assert ended.stderr.endswith("which is not installed: pip install 'gmv[worker]'\n")
