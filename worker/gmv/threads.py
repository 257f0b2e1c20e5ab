"""The thread pools that libraries bring along, kept to one thread each, for the same bits and for speed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def limit_threads() -> None:
    """Let BLAS, torch and faiss use one thread each.

    The same image has to give the same bits in every process, and with more threads it does not on every processor:
    on one with AMX (Sapphire Rapids) torch's products have other last bits with two threads than with one.

    It is faster, too. Images are encoded and vectors searched one by one, which is too little work to share: with two
    threads each on two busy cores, 6 images a second were attributed rather than 111, as OpenMP's threads wait for one
    another in a loop. Cores are used by events side by side (`worker.threads`), and by more workers.

    Libraries read their limits when they are loaded, so this has to be called before numpy is imported. Those that a
    process has imported already are limited again; the others are left alone, since torch takes two seconds and 200 MB.
    """
    os.environ.update(dict.fromkeys(_POOLS, "1"))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    if faiss := sys.modules.get("faiss"):
        faiss.omp_set_num_threads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and faiss use one thread, for what has to give the same bits under any setting of the process.

    A torch that is loaded meanwhile takes one from then on.
    """
    import faiss

    torch, faiss_threads = sys.modules.get("torch"), faiss.omp_get_max_threads()
    threads = torch.get_num_threads() if torch else 0
    pools = {name: os.environ.get(name) for name in _POOLS}
    limit_threads()
    try:
        yield
    finally:
        for name, value in pools.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if torch:
            torch.set_num_threads(threads)
        faiss.omp_set_num_threads(faiss_threads)
