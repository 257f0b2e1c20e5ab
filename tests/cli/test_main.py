import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from gmv import errors
from gmv.cli import COMMANDS, Command, app, exit_codes, load, main

HEAVY = {"torch", "faiss", "numba", "faust", "scipy", "aiokafka", "kafka", "pyarrow", "pydantic_settings"}
LAZY_HELP = HEAVY | {"numpy", "pydantic", "rich", "redis", "sqlite3"}


def run_gmv(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gmv", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """Puts every function of `probe.py` into the table of commands, and its app as `group`."""
    for name in ("succeed", "flood", "refuse", "fail", "be_interrupted", "be_locked_out", "lose_a_file"):
        monkeypatch.setitem(COMMANDS, name, Command("tests.cli.probe", name, "A probe."))
    monkeypatch.setitem(COMMANDS, "group", Command("tests.cli.probe", "app", "Probes."))
    return app


def modules_after(statements: str) -> set[str]:
    code = f"import sys\nfrom gmv.cli import *\n{statements}\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_help_lists_every_command_and_every_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gmv(monkeypatch, "--help") == 0

    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", shown, re.MULTILINE), name
    for code in exit_codes():
        assert re.search(rf"^ +{code}  \w", shown, re.MULTILINE), code


def test_help_loads_next_to_nothing() -> None:
    loaded = modules_after("try: get_command(app)(['--help'])\nexcept SystemExit: pass")

    assert "typer" in loaded
    assert not loaded & LAZY_HELP


def test_no_command_loads_a_heavy_library_before_it_runs() -> None:
    loaded = modules_after("for name in COMMANDS: load(name)")

    assert not loaded & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_explains_itself_and_its_options(name: str) -> None:
    command = load(name)
    subcommands = getattr(command, "commands", {name: command})

    assert command.help
    for subcommand in subcommands.values():
        assert subcommand.help
        assert all(parameter.help for parameter in subcommand.params)
        assert "Args:" not in subcommand.help  # a docstring for programmers


def test_without_arguments_help_is_shown_as_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gmv(monkeypatch) == 2
    assert "Commands:" in "".join(capsys.readouterr())


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_gmv(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"gmv {version('gmv')}\n"


def test_an_unknown_command_is_refused_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gmv(monkeypatch, "legder") == 2
    assert "Did you mean 'ledger'?" in capsys.readouterr().err


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "out", "err"),
    [
        (["succeed"], 0, "fine \n", ""),
        (["succeed", "--times", "2"], 0, "fine fine \n", ""),
        (["group", "show"], 0, "shown\n", ""),
        (["refuse"], 21, "", "gmv: no ledger at x: run `gmv ledger init`\n"),
        (["be_interrupted"], 130, "", ""),
        (
            ["be_locked_out"],
            2,
            "",
            "gmv: a/b[/y]: Read-only file system; name another place, or let this user at it\n",
        ),
    ],
)
def test_how_a_command_ends(
    arguments: list[str],
    exit_code: int,
    out: str,
    err: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_gmv(monkeypatch, *arguments) == exit_code

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (out, err)


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(("command", "error"), [("fail", "ZeroDivisionError"), ("lose_a_file", "FileNotFoundError")])
def test_a_fault_keeps_its_traceback_and_asks_to_be_reported(
    command: str, error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gmv(monkeypatch, command) == 70

    *traceback, error_line, last = capsys.readouterr().err.splitlines()
    assert any("tests/cli/probe.py" in line for line in traceback)
    assert error_line.startswith(error)
    assert last == "gmv: this is a fault of gmv; please report it with the lines above"


@pytest.mark.parametrize("arguments", [["--help"], ["flood"]], ids=["at the flush", "in the middle"])
def test_a_reader_that_goes_away_is_no_fault(arguments: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROBED_GMV, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROBED_GMV, "succeed"], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.stderr.decode() == "gmv: no space is left for the output; make some and try again\n"
    assert done.returncode == errors.DiskFull.exit_code


def test_every_refusal_has_an_exit_code_of_its_own() -> None:
    refusals = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.Refusal)
    ]
    codes = [refusal.exit_code for refusal in refusals]

    assert len(set(codes)) == len(codes)
    assert set(codes) <= exit_codes().keys()
    assert set(codes).isdisjoint({0, 70, 130})


def test_python_m_gmv_is_gmv() -> None:
    done = subprocess.run([sys.executable, "-m", "gmv", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("gmv ")


def test_completion_reaches_into_a_group_that_is_loaded_for_it(probe: typer.Typer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBED_GMV],
        env={"_GMV_COMPLETE": "complete_bash", "COMP_WORDS": "gmv group ", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["show", "hide"]
    assert get_command(probe).name == "gmv"


PROBED_GMV = """
from gmv.cli import COMMANDS, Command, main
COMMANDS["flood"] = Command("tests.cli.probe", "flood", "")
COMMANDS["succeed"] = Command("tests.cli.probe", "succeed", "")
COMMANDS["group"] = Command("tests.cli.probe", "app", "")
main()
"""
