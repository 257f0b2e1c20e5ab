"""What decides a credit, or is in a manifest and so in an index id, calls no function that libraries round differently.

IEEE 754 rounds + - * / and square roots, the same everywhere. The C library's exp, and numpy's and torch's own, are
within an ulp or so, each in its own way.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "worker" / "gmv"

ROOMS = ("valuation", "linear", "index", "indexing", "encoders/exact", "attributor.py")

LIBRARIES = {"math", "np", "numpy", "torch", "F", "scipy"}

ROUNDED_DIFFERENTLY = {
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "softmax", "log_softmax"),
    *("pow", "power", "float_power", "cbrt", "hypot", "rsqrt", "norm", "normalize", "std", "var", "cov", "corrcoef"),
    *(
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "arctan",
        "arctan2",
        "sinh",
        "cosh",
        "tanh",
        "erf",
        "gamma",
    ),
    *("erf", "gamma", "quantile", "percentile", "average", "trapezoid", "linalg"),
}


def rounded_differently(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=library), attr=name) if (
                library in LIBRARIES and name in ROUNDED_DIFFERENTLY
            ):
                yield f"{library}.{name}, line {node.lineno}"
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in LIBRARIES:
                yield from (
                    f"{each.name}, line {node.lineno}" for each in node.names if each.name in ROUNDED_DIFFERENTLY
                )


def files() -> list[Path]:
    return [file for room in ROOMS for file in (SOURCE / room, *(SOURCE / room).rglob("*.py")) if file.is_file()]


def test_nothing_on_the_way_to_a_receipt_is_rounded_differently() -> None:
    assert len(files()) > 40
    found = {str(file.relative_to(SOURCE)): [*rounded_differently(ast.parse(file.read_text()))] for file in files()}
    assert {file: calls for file, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "line",
    ["math.exp(x)", "np.power(x, 2)", "torch.linalg.eigh(x)", "from math import log", "F.softmax(x)"],
)
def test_what_is_rounded_differently_is_recognised(line: str) -> None:
    assert [*rounded_differently(ast.parse(line))]


@pytest.mark.parametrize("line", ["math.sqrt(x)", "np.rint(x)", "math.fsum(x)", "from math import frexp", "event.log"])
def test_what_is_rounded_alike_is_not(line: str) -> None:
    assert not [*rounded_differently(ast.parse(line))]
