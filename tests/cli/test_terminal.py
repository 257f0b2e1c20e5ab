"""Where commands write: stdout and stderr of any encoding, closed, or with nobody at their end."""

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.cli import COMMANDS, load
from gmv.errors import InvalidSettings
from gmv.settings import LedgerSettings
from tests.cli.command import command, create, credit, environment, gmv, gmv_json, refused

OWNER = "\u00e4da \u2026 \u65e5\u672c"
HOSTILE = "x\x1b[31m\x9b\n\u202ey"
NO_UTF8 = os.fsdecode(b"caf\xe9")
SHOWN = "x\\x1b[31m\\x9b\\n\\u202ey"


@pytest.fixture
def ledger(sqlite: LedgerSettings) -> LedgerSettings:
    create(sqlite)
    credit(sqlite, {OWNER: 3, HOSTILE: 2})
    return sqlite


def run(ledger: LedgerSettings, arguments: Sequence[object], redirections: str = "", **variables: str) -> Any:
    """Run gmv by a shell, which closes descriptors as users do."""
    line = f'exec "$@" {redirections}'
    return subprocess.run(
        ["sh", "-c", line, "sh", *command(*arguments)],
        env=environment(ledger) | variables,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict", "utf-8:surrogateescape", "cp437"])
def test_a_narrow_encoding_is_no_fault(ledger: LedgerSettings, encoding: str) -> None:
    done = run(ledger, ["credits", "top"], PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding.partition(":")[0])
    wanted = OWNER.encode(encoding.partition(":")[0], "backslashreplace").decode(encoding.partition(":")[0])
    assert wanted in shown
    assert SHOWN in shown


def test_the_c_locale_is_no_fault(ledger: LedgerSettings) -> None:
    done = run(ledger, ["credits", "top"], LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert OWNER.encode("ascii", "backslashreplace") in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_is_in_utf8_whatever_the_encoding_is(ledger: LedgerSettings, encoding: str) -> None:
    done = run(ledger, ["credits", "top", "--json"], PYTHONIOENCODING=encoding)
    assert [each["owner_id"] for each in orjson.loads(done.stdout)["owners"]] == [OWNER, HOSTILE]
    assert not set(done.stdout.decode()) & set("\x1b\x9b\u202e")


@pytest.mark.parametrize(
    "arguments",
    [["credits", "top"], ["credits", "top", "--json"], ["credits", "export"], ["--help"], ["--version"]],
    ids=" ".join,
)
def test_a_closed_stdout_is_one_sentence(ledger: LedgerSettings, arguments: list[str]) -> None:
    done = run(ledger, arguments, ">&-")
    assert done.stderr.decode().startswith("gmv: stdout is closed")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert run(ledger, arguments, ">&- 2>&- <&-").returncode == 1


def test_a_ledger_is_not_opened_in_place_of_a_closed_stream(ledger: LedgerSettings) -> None:
    """Else what a library prints would be written into it."""
    code = "import os; from gmv.cli import terminal; terminal.prepare(); os._exit(os.open('/dev/null', 0))"
    done = subprocess.run(["sh", "-c", f'{sys.executable} -c "{code}" <&- >&- 2>&-'], check=False)
    assert done.returncode > 2


@pytest.mark.parametrize(
    ("arguments", "redirections", "exit_code"),
    [
        (["credits", "show", "nobody"], "2>&-", 1),
        (["credits", "top", "--ledger", "sqlite:///nowhere.db"], "2>&-", 21),
        (["credits", "top", "--ledger", "sqlite:///nowhere.db"], "2>/dev/full", 21),
        (["credits", "top", "--bogus"], "2>/dev/full", 2),
        (["credits", "top"], ">/dev/full", 12),
        (["credits", "export"], ">/dev/full", 12),
        (["credits", "export", "--format", "json"], ">/dev/full", 12),
    ],
)
def test_the_exit_code_is_that_of_the_cause(
    ledger: LedgerSettings, arguments: list[str], redirections: str, exit_code: int
) -> None:
    assert run(ledger, arguments, redirections).returncode == exit_code


@pytest.mark.parametrize("arguments", [["credits", "top", "--ledger", "sqlite:///nowhere.db"], ["credits", "--bogus"]])
def test_a_reader_of_errors_that_went_away_changes_no_exit_code(ledger: LedgerSettings, arguments: list[str]) -> None:
    heard = run(ledger, arguments).returncode
    with subprocess.Popen(command(*arguments), env=environment(ledger), stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.close()
    assert process.returncode == heard > 1


@pytest.mark.parametrize(
    "arguments",
    [[HOSTILE], ["credits", HOSTILE], ["credits", "top", f"--{HOSTILE}"], ["credits", "top", "--limit", HOSTILE]],
)
def test_a_mistake_in_the_command_line_is_shown_escaped(ledger: LedgerSettings, arguments: list[str]) -> None:
    done = gmv(ledger, *arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert not set(done.stderr) & set("\x1b\x9b\u202e")
    assert done.stderr.rstrip("\n").splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("format", ["csv", "json"])
def test_an_export_is_as_it_is_for_a_program_and_escaped_on_a_terminal(ledger: LedgerSettings, format: str) -> None:  # noqa: A002
    arguments = ["credits", "export", "--format", format]
    assert HOSTILE.encode() in run(ledger, arguments).stdout or format == "json"
    controller, terminal = pty.openpty()
    with subprocess.Popen(command(*arguments), env=environment(ledger), stdout=terminal):
        os.close(terminal)
        shown = b""
        while part := _read(controller):
            shown += part
    os.close(controller)
    assert not set(shown.decode()) & set("\x1b\x9b\u202e")
    assert SHOWN in shown.decode().replace("\\\\", "\\")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 2**16)
    except OSError:  # what Linux says at the end of a terminal
        return b""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_text_of_every_command_has_to_be_utf8(name: str) -> None:
    found = load(name)
    for each in getattr(found, "commands", {name: found}).values():
        for parameter in each.params:
            with pytest.raises(InvalidSettings, match="is not UTF-8"):
                parameter.callback(None, parameter, ["fine", os.fsdecode(b"caf\xe9")])
            assert parameter.callback(None, parameter, OWNER) == OWNER


@pytest.mark.parametrize(
    "arguments",
    [["credits", "show", NO_UTF8], ["explain", "e", "--source", NO_UTF8], ["emit", "x", "--model", NO_UTF8]],
)
def test_a_text_that_is_not_utf8_is_refused_by_name(ledger: LedgerSettings, arguments: list[str]) -> None:
    assert "'caf\\xe9' is not UTF-8" in refused(ledger, InvalidSettings.exit_code, *arguments)


def test_a_path_and_a_ledgers_url_may_have_any_bytes(ledger: LedgerSettings, tmp_path: Path) -> None:
    file = Path(ledger.url.removeprefix("sqlite:///")).rename(tmp_path / NO_UTF8)
    moved = ledger.model_copy(update={"url": f"sqlite:///{file}"})
    assert gmv_json(moved, "ledger", "verify")["ledger_url"] == f"sqlite:///{tmp_path}/caf\\xe9"
    assert f"{tmp_path}/caf\\xe9.csv: 2 owners" in gmv(moved, "credits", "export", "--out", f"{file}.csv").stdout
