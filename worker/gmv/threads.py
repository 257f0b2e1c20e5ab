"""One setting for all the thread pools that libraries bring along, so that they do not fight for the cores."""

import os

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Let numpy's BLAS, torch and faiss use so many threads each.

    BLAS reads its limit when it is loaded, so this has to be called before numpy is imported; torch and faiss are
    told again, for a process that has imported them already.
    """
    os.environ.update(dict.fromkeys(_POOLS, str(threads)))
    import faiss
    import torch

    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
