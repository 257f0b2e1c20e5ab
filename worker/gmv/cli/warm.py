"""`gmv warm`: the re-rank kernel compiled ahead of use."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from gmv.cli.options import JsonOption


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """Where the compiled kernel is kept, and its size."""

    folder: Path
    bytes: int


def warm(json: JsonOption = False) -> None:
    """Compile the re-rank kernel now, which takes half a minute, and keep it for every later process.

    It is kept below the folder that NUMBA_CACHE_DIR names, or the user's cache folder; one version of gmv and one
    kind of processor compile once. An image compiles when it is built, and may be read-only from then on.
    """
    from gmv.threads import limit_threads

    limit_threads()
    compile_kernel()
    from gmv.cli.output import render
    from gmv.compiled import FOLDER

    render(CompiledKernel(FOLDER, sum(file.stat().st_size for file in FOLDER.rglob("*.nb[ci]"))), json, _view)


def _view(kernel: CompiledKernel) -> Iterator[str]:
    yield f"The re-rank kernel is compiled, in {kernel.folder}"


def compile_kernel() -> None:
    """Load the kernel; where it was never compiled, say so on stderr and compile it."""
    import numpy as np

    from gmv.compiled import is_compiled
    from gmv.valuation.wasserstein.rerank import ExactReranker

    was_compiled, started = is_compiled(), time.perf_counter()
    if not was_compiled:
        typer.echo("compiling the re-rank kernel, once; this takes about half a minute", err=True)
    ExactReranker(np.zeros((1, 1, 1), np.float16))
    if not was_compiled:
        typer.echo(f"compiled in {time.perf_counter() - started:.0f} seconds", err=True)
