"""Names in PromQL."""

import re

from prometheus_client import CollectorRegistry

from gmv.monitoring.catalogue import AuditMetrics, Metrics

_TEXT = re.compile(r'"[^"]*"')
_NAME = re.compile(r"[a-z_][a-z0-9_:]*")
_HISTOGRAM = ("_bucket", "_count", "_sum")


def metrics_in(expression: str) -> set[str]:
    """Metrics that a query asks for, those of `{__name__=~"one|other"}` too."""
    names = {name for listed in re.findall(r'__name__=~"([^"]*)"', expression) for name in listed.split("|")} | {
        *_NAME.findall(_TEXT.sub("", expression))
    }
    return {name for name in names if re.match(r"(\w+:)?(gmv|process)_", name)}


def every_metric() -> frozenset[str]:
    """What a worker and an audit can tell."""
    worker, audit = CollectorRegistry(), CollectorRegistry()
    Metrics(worker)
    AuditMetrics(audit)
    names = set()
    for family in (*worker.collect(), *audit.collect()):
        match family.type:
            case "counter":
                names.add(f"{family.name}_total")
            case "histogram":
                names |= {family.name + suffix for suffix in _HISTOGRAM}
            case "info":
                names.add(f"{family.name}_info")
            case _:
                names.add(family.name)
    return frozenset(names)
