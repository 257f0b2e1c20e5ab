"""Where the bench finds what it is not meant for."""

from pathlib import Path

import pytest

from gmv.settings import LedgerSettings


@pytest.fixture
def sqlite(tmp_path: Path) -> LedgerSettings:
    return LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}", retry_seconds=0.3)
