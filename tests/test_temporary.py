"""Folders of killed processes go, folders of living ones stay."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gmv.temporary import TemporaryFolder
from tests.services.server import mortal

SLEEPER = (
    "import sys, time; from gmv.temporary import TemporaryFolder; "
    "print(TemporaryFolder('test').path, flush=True); time.sleep(600)"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made, in this process and in others."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds a folder."""
    with subprocess.Popen(mortal([sys.executable, "-c", SLEEPER]), stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def folder_of(process: "subprocess.Popen[str]") -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_goes_with_its_block(temporary: Path) -> None:
    with TemporaryFolder("test") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        assert folder.stat().st_mode & 0o077 == 0
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_living_process_holds_stays_and_what_a_killed_one_held_goes(sleeper: "subprocess.Popen[str]") -> None:
    theirs = folder_of(sleeper)
    with TemporaryFolder("test") as ours:
        assert theirs.is_dir()
        sleeper.send_signal(signal.SIGKILL)
        sleeper.wait()
        with TemporaryFolder("test-another"):
            assert theirs.is_dir()
        with TemporaryFolder("test"):
            assert not theirs.exists()
            assert ours.is_dir()


def test_other_folders_and_links_stay(temporary: Path) -> None:
    (temporary / "gmv-test-being-made").mkdir()
    (temporary / "theirs").mkdir()
    (temporary / "theirs" / ".in-use").touch()
    (temporary / "gmv-test-link").symlink_to(temporary / "theirs")
    (temporary / "gmv-test-dangling").symlink_to(temporary / "nowhere")
    (temporary / "gmv-test-file").touch()
    before = set(temporary.iterdir())

    with TemporaryFolder("test"):
        pass

    assert set(temporary.iterdir()) == before


def test_many_at_once_have_one_each() -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(TemporaryFolder, ["test"] * 64))
    assert all(folder.path.is_dir() for folder in folders)
    assert len({folder.path for folder in folders}) == 64
    for folder in folders:
        folder.remove()
