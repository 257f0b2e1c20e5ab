"""Every setting, one module per section: flags win over variables (`GMV_…`), they over a TOML file, it over defaults.

`docs/configuration.md` lists them all.
"""

from gmv.settings.all import PREFIX, Settings, redact
from gmv.settings.images import ImageSettings
from gmv.settings.kafka import KafkaSettings
from gmv.settings.ledger import LedgerSettings
from gmv.settings.loading import load
from gmv.settings.owners import OwnersSettings
from gmv.settings.section import IN_WORDS
from gmv.settings.server import Guarded
from gmv.settings.tracing import TracingSettings
from gmv.settings.valuation import Method, ValuationSettings
from gmv.settings.worker import WorkerSettings

__all__ = [
    "IN_WORDS",
    "PREFIX",
    "Guarded",
    "ImageSettings",
    "KafkaSettings",
    "LedgerSettings",
    "Method",
    "OwnersSettings",
    "Settings",
    "TracingSettings",
    "ValuationSettings",
    "WorkerSettings",
    "load",
    "redact",
]
