"""`gmv warm`: the re-rank kernel compiled ahead of use."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gmv.cli.options import JsonOption
from gmv.cli.terminal import say


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """Where the compiled kernel is kept, and its size."""

    folder: Path
    bytes: int


def warm(json: JsonOption = False) -> None:
    """Compile the re-rank kernel now, which takes half a minute, and keep it for every later process.

    With it goes what the default encoder is learnt by and encodes by, which takes some seconds.

    It is kept below the folder that NUMBA_CACHE_DIR names, or the user's cache folder; one version of gmv and one
    kind of processor compile once. An image compiles when it is built, and may be read-only from then on.
    """
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.output import render
    from gmv.compiled import CACHE_VARIABLE, FOLDER, is_compiled, is_kept
    from gmv.errors import InvalidSettings

    if FOLDER is None or not (is_kept() or is_compiled()):
        raise InvalidSettings(
            f"there is no folder to keep compiled code in; name one that can be written by {CACHE_VARIABLE}"
        )
    compile_kernel()
    _compile_encoder()
    render(CompiledKernel(FOLDER, sum(file.stat().st_size for file in FOLDER.rglob("*.nb[ci]"))), json, _view)


def _view(kernel: CompiledKernel) -> Iterator[str]:
    yield f"The re-rank kernel is compiled, in {kernel.folder}"


def _compile_encoder() -> None:
    """Learn an encoder from one small image: all is compiled that learning and encoding take."""
    import numpy as np

    from gmv.encoders.exact.descriptor import KIND, ExactDescriptor
    from gmv.encoders.exact.fitting import FittingSettings, fit_exact
    from gmv.encoders.working_size import WORKING_SIZE_MIN

    blank = np.zeros((WORKING_SIZE_MIN, WORKING_SIZE_MIN, 3), np.uint8)
    ExactDescriptor(KIND, fit_exact([blank], FittingSettings(working_size=WORKING_SIZE_MIN)))


def compile_kernel() -> None:
    """Load the kernel; where it was never compiled, say so on stderr and compile it."""
    import numpy as np

    from gmv.compiled import CACHE_VARIABLE, is_compiled, is_kept
    from gmv.index.exact_recall import ExactRecall
    from gmv.valuation.wasserstein.rerank import ExactReranker

    was_compiled, started = is_compiled(), time.perf_counter()
    if not was_compiled:
        kept = "once" if is_kept() else f"for this process alone ({CACHE_VARIABLE} may name a folder to keep it in)"
        say(f"compiling the re-rank kernel, {kept}; this takes about half a minute")
    ExactReranker(np.zeros((1, 1, 1), np.float16))
    ExactRecall(np.zeros((1, 1), np.int8), np.ones(1, np.int8))
    if not was_compiled:
        say(f"compiled in {time.perf_counter() - started:.0f} seconds")
