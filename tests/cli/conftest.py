"""A ledger of each kind, for commands that read and make ledgers."""

import uuid
from pathlib import Path

import pytest

from gmv.settings import LedgerSettings


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.servers)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Where one can be; there is none yet."""
    if request.param == "sqlite":
        return LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    return LedgerSettings(url=request.getfixturevalue("redis_url"), namespace=f"t{uuid.uuid4().hex}")


@pytest.fixture
def sqlite(tmp_path: Path) -> LedgerSettings:
    """Where a ledger in a file can be; there is none yet."""
    return LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}", retry_seconds=0.3)
