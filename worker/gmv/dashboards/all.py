"""All dashboards, in the order in which an operator meets them."""

from typing import Final

from gmv.dashboards.dead_letters import DEAD_LETTERS
from gmv.dashboards.ledger import LEDGER
from gmv.dashboards.panels import Dashboard
from gmv.dashboards.worker import WORKER

DASHBOARDS: Final[tuple[Dashboard, ...]] = (WORKER, LEDGER, DEAD_LETTERS)
