import pytest

from tests.dashboards.promql_names import every_metric


@pytest.fixture(scope="session")
def known_metrics() -> frozenset[str]:
    """What a worker and an audit can tell."""
    return every_metric()
