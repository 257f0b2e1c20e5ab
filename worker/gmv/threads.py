"""One setting for all the thread pools that libraries bring along, so that they do not fight for the cores."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Let torch and faiss use so many threads each, and numpy's and SciPy's BLAS one.

    The re-rank multiplies small matrices in threads of its own, one event in each; BLAS' threads would only fight
    them for the cores. Libraries read their limits when they are loaded, so this has to be called before numpy is
    imported; torch and faiss are told again, for a process that has imported them already.
    """
    os.environ.update(dict.fromkeys(_POOLS, str(threads)), OPENBLAS_NUM_THREADS="1")
    import faiss
    import torch

    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and faiss use one thread, for what has to give the same bits whatever the process is set to."""
    import faiss
    import torch

    threads, faiss_threads = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        faiss.omp_set_num_threads(faiss_threads)
