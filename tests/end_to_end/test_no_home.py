"""A container that runs as any number: no home folder, nobody who knows the user, nothing that can be written."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from gmv.compiled import FOLDER
from gmv.corpus.port import ImageFile
from gmv.errors import InvalidSettings
from gmv.index.opened import Index
from gmv.settings import LedgerSettings
from tests.cli.command import create
from tests.corpus.corpora import opened
from tests.services.patience import patience

STRANGER = """
import pwd, sys, tempfile
def nobody(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = nobody
if "no temporary folder" in sys.argv:
    sys.argv.remove("no temporary folder")
    tempfile._candidate_tempdir_list = lambda: ["/proc/nowhere"]
from gmv.cli import main
main()
"""

HOMES: Mapping[str, Mapping[str, str]] = {
    "unset": {},
    "nowhere": {"HOME": "/proc/nowhere"},
    "a device": {"HOME": "/dev/null"},
    "unset, and a cache that cannot be": {"NUMBA_CACHE_DIR": "/proc/nowhere"},
    "unset, and the user's cache": {"XDG_CACHE_HOME": "/dev/null"},
}


def gmv(
    *arguments: object,
    variables: Mapping[str, str] | None = None,
    has_temporary: bool = True,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    told = [*map(str, arguments), *([] if has_temporary else ["no temporary folder"])]
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"HOME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "MPLCONFIGDIR"}
    }
    return subprocess.run(
        [sys.executable, "-c", STRANGER, *told],
        cwd=folder,
        env=inherited | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=patience(300),
        check=False,
    )


@pytest.mark.parametrize("has_temporary", [True, False])
@pytest.mark.parametrize("home", HOMES)
def test_whoever_computes_nothing_needs_no_home(home: str, has_temporary: bool, tmp_path: Path) -> None:
    ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    create(ledger)
    done = gmv("credits", "top", "--json", "--ledger", ledger.url, variables=HOMES[home], has_temporary=has_temporary)
    assert (done.returncode, done.stderr) == (0, "")
    assert gmv("doctor", "--only", "machine", variables=HOMES[home], has_temporary=has_temporary).returncode == 0


@pytest.mark.parametrize("has_temporary", [True, False])
@pytest.mark.parametrize("home", HOMES)
def test_what_cannot_be_kept_is_not_compiled_ahead(home: str, has_temporary: bool) -> None:
    done = gmv("warm", variables=HOMES[home], has_temporary=has_temporary)
    assert done.returncode == InvalidSettings.exit_code
    assert done.stderr.startswith("gmv: there is no folder to keep compiled code in; name one")
    assert done.stderr.count("\n") == 1


def test_what_was_compiled_is_found_without_a_home(small_index: Index, tmp_path: Path) -> None:
    assert FOLDER is not None
    image = tmp_path / "a.png"
    first = next(opened(small_index.path.parent / "corpus.parquet").images())
    assert isinstance(first, ImageFile)
    image.write_bytes(first.content)
    for has_temporary in (True, False):
        done = gmv(
            "attribute",
            *("--index", small_index.path, image, "--json"),
            variables={"NUMBA_CACHE_DIR": str(FOLDER.parent)},
            has_temporary=has_temporary,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert orjson.loads(done.stdout)["images"][0]["contributors"]


@pytest.mark.parametrize("value", ["1", "2"])
def test_a_numba_that_compiles_nothing_is_refused(value: str) -> None:
    done = gmv("warm", variables={"NUMBA_DISABLE_JIT": value})
    assert done.returncode == InvalidSettings.exit_code
    assert "NUMBA_DISABLE_JIT" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_NUM_THREADS", "0"),
        ("NUMBA_NUM_THREADS", "-3"),
        ("NUMBA_NUM_THREADS", "many"),
        ("NUMBA_NUM_THREADS", ""),
        ("NUMBA_OPT", "11"),
        ("NUMBA_BOUNDSCHECK", "yes"),
    ],
)
def test_a_setting_of_numba_that_it_does_not_take_is_one_sentence(name: str, value: str) -> None:
    done = gmv("warm", variables={name: value})
    assert done.returncode == InvalidSettings.exit_code, done.stderr
    assert f"{name}={value}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_of_numba_in_a_file_are_named_as_well(tmp_path: Path) -> None:
    (tmp_path / ".numba_config.yaml").write_text("num_threads: 0\n")
    done = gmv("warm", folder=tmp_path)
    assert done.returncode == InvalidSettings.exit_code, done.stderr
    assert ".numba_config.yaml" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_number_of_threads_that_numba_takes_changes_nothing() -> None:
    assert FOLDER is not None
    done = gmv("warm", variables={"NUMBA_CACHE_DIR": str(FOLDER.parent), "NUMBA_NUM_THREADS": "7"})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "build", "CORPUS", "--out", "/proc/nowhere/index"],
        ["demo", "--out", "/proc/nowhere/demo"],
        ["report", "--prometheus", "http://127.0.0.1:1", "--out", "/proc/nowhere/report.html"],
        ["credits", "export", "--ledger", "LEDGER", "--out", "/proc/nowhere/credits.csv"],
        ["ledger", "init", "--log", "EVENTS", "--ledger", "sqlite:////proc/nowhere.db"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_place_that_cannot_be_written_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    create(ledger)
    (tmp_path / "events.jsonl").write_bytes(b"{}\n")
    (tmp_path / "metadata.csv").write_text("file_name,owner_id\na.png,ada\n")
    places = {"CORPUS": str(tmp_path), "EVENTS": str(tmp_path / "events.jsonl"), "LEDGER": ledger.url}
    done = gmv(*(places.get(word, word) for word in arguments), variables={"MPLCONFIGDIR": str(tmp_path)})
    assert done.returncode not in {0, 70}
    assert done.stderr.startswith("gmv: ")
    assert "/proc/nowhere" in done.stderr
    assert done.stderr.count("\n") == 1
