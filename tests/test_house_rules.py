"""The house rules that no linter knows: which way imports point, how long a file may be, what no file may name."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from importlinter import cli as import_linter

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "worker" / "gmv"
SOURCE_LINES_MAX = 300
ROOM_LINES_MAX = 3_000
TEST_LINES_MAX = 400

# Used by every layer, or by none.
OUTSIDE_THE_LAYERS = {
    "settings",
    "temporary",
    "threads",
    "whole_file",
    "first_error",
    "printable",
    "wording",
    "__main__",
}

# Folders of the machines that we write on. Put together here, so that this file does not hold them.
OUR_FOLDERS = re.compile("|".join(f"/{name}/" for name in ("work", "root", "tmp/team")))


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows and that are there: all texts, or those of some patterns."""
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def too_long(files: list[Path], lines_max: int) -> dict[str, int]:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    return {name: length for name, length in lengths.items() if length > lines_max}


def test_every_import_points_down() -> None:
    assert import_linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_part_of_gmv_has_its_place_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = {name.strip().removeprefix("gmv.") for layer in layers for name in re.split("[:|]", layer)}
    parts = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    assert parts - {"__init__"} == placed | OUTSIDE_THE_LAYERS


def test_a_package_is_imported_by_its_modules() -> None:
    """`import gmv.x` loads nothing of `x`: what start-up costs is seen in the module that asks for it."""
    for package in SOURCE.rglob("__init__.py"):
        if package.parent.name not in {"gmv", "cli", "settings"}:  # settings are one thing, in a file per section
            statements = ast.parse(package.read_text()).body
            assert all(isinstance(one, ast.Expr) for one in statements), package
            assert len(statements) <= 1, package


PRINTERS = {"cli/terminal.py", "cli/output.py", "kafka/pump.py"}
"""Who may touch stdout and stderr: text of others goes through one of these, which escape what a terminal obeys."""


def printing(tree: ast.AST) -> Iterator[ast.AST]:
    """What prints, or makes what rich prints: rich but for types, typer's own printing, and the standard streams."""
    types = {id(each) for node in ast.walk(tree) if is_for_types(node) for each in ast.walk(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if id(node) not in types and any(is_printer(each.name) for each in names):
                yield node
            case ast.ImportFrom(module=str(module)) if id(node) not in types and is_printer(module):
                yield node
            case ast.Attribute(value=ast.Name(id="typer"), attr="echo" | "secho" | "style" | "get_binary_stream"):
                yield node
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr" | "__stdout__" | "__stderr__"):
                yield node
            case ast.Call(func=ast.Name(id="print")) | ast.Attribute(attr="print_exc" | "print_exception"):
                yield node


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_printer(module: str) -> bool:
    return module.partition(".")[0] in {"rich", "click"}


def test_text_is_printed_in_one_place() -> None:
    """Elsewhere it could be read as markup, or move a cursor; nothing but a rule sees that of commands to come."""
    found = {
        str(file.relative_to(SOURCE)): [node.lineno for node in printing(ast.parse(file.read_text()))]  # type: ignore[attr-defined]
        for file in SOURCE.rglob("*.py")
    }
    assert {file for file, lines in found.items() if lines} == PRINTERS


@pytest.mark.parametrize(
    "line",
    [
        "from rich.console import Console",
        "def show():\n    import rich",
        "from rich import print as say",
        "typer.secho(owner)",
        "sys.stderr.write(owner)",
        "print(owner)",
        "traceback.print_exc()",
    ],
)
def test_what_prints_is_recognised(line: str) -> None:
    assert list(printing(ast.parse(line)))


def test_types_print_nothing() -> None:
    assert not list(printing(ast.parse("if TYPE_CHECKING:\n    from rich.text import Text")))


def test_no_file_is_longer_than_one_reading() -> None:
    assert not too_long(
        tracked("worker/*.py", "tools/*.py", "worker/*.lua", "worker/*.sql", "worker/*.j2"), SOURCE_LINES_MAX
    )
    assert not too_long(tracked("tests/*.py", "examples/*.py"), TEST_LINES_MAX)


def test_no_room_is_too_large() -> None:
    rooms = {folder: list(folder.glob("*.py")) for folder in SOURCE.rglob("*") if folder.is_dir()}
    lines = {room: sum(len(file.read_text().splitlines()) for file in files) for room, files in rooms.items()}
    assert {room: count for room, count in lines.items() if count > ROOM_LINES_MAX} == {}


def table_under(heading: str) -> dict[str, str]:
    """The table after a heading of ARCHITECTURE.md: its first column to its second."""
    after = (ROOT / "ARCHITECTURE.md").read_text().split(f"{heading}\n")[1].split("\n#")[0]
    rows = [line.strip("|").split("|") for line in after.splitlines() if line.startswith("| ")]
    return {first.strip(): second.strip() for first, second, *_ in rows if first.strip()}


def test_every_room_has_its_reason_in_the_architecture() -> None:
    named = set(re.findall(r"`(\w+)(?:/`|\.py`)", " ".join(table_under("## The house follows the data"))))
    rooms = {folder.name for folder in SOURCE.iterdir() if (folder / "__init__.py").exists()}
    assert rooms - named == set()


PATHS = {word: re.findall("`([^`]+)`", files) for word, files in table_under("### From a word to the code").items()}


@pytest.mark.parametrize("word", sorted(PATHS.keys() - {"word"}))
def test_a_word_leads_to_its_code_in_four_files(word: str) -> None:
    path = PATHS[word]
    assert 2 <= len(path) <= 4
    assert word in (ROOT / "README.md").read_text()
    for one, other in pairwise(path):
        assert refers_to(one, other) or refers_to(other, one), f"{one} and {other} do not refer to each other"


def refers_to(one: str, other: str) -> bool:
    """Whether a file imports another, or names it, as a script in Lua is named."""
    text = (SOURCE / one).read_text()
    module = "gmv." + other.removesuffix(".py").replace("/", ".")
    return f"from {module} import" in text or f'"{Path(other).name}"' in text


def test_invariants_are_defined_where_code_and_tests_name_them() -> None:
    defined = set(table_under("### Invariants"))
    texts = [file.read_text() for file in tracked("worker/*.py", "tests/*.py", "docs/*.md")]
    named = {f"I{number}" for text in texts for number in re.findall(r"\bI(\d+)\b", text)}
    assert named <= defined


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    for file in tracked():
        try:
            text = file.read_text()
        except UnicodeDecodeError:  # a picture, or data
            continue
        assert not OUR_FOLDERS.search(text), file


@pytest.mark.parametrize(
    "lock", ["bootstrap.lock", "requirements.lock", "requirements-networks.lock", "requirements-dev.lock"]
)
def test_locks_pin_every_package_by_digest_and_name_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert pins
    assert all(re.match(r"[a-z0-9.-]+==\S+ .*\\$", pin) for pin in pins)
    assert text.count(" \\\n    --hash=sha256:") >= len(pins)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
