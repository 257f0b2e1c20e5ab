"""All owners' statements as rows of one table."""

from typing import Any, Final

from gmv.statements.tally import Tally

COLUMNS: Final[dict[str, Any]] = {
    "owner_id": str,
    "when": str,
    "label": str | None,
    "events": int,
    "event_micros": int,
    "corrections": int,
    "correction_micros": int,
    "credit_micros": int,
    "judged_events": int,
    "unreliable_events": int,
}
"""Name to type. `when` is `within` the period, `before` or `after` it, or `without_time`: an owner's rows add up to the
ledger's total. `label` is the month or the model."""


def rows_of(tally: Tally) -> list[tuple[Any, ...]]:
    """Return the rows, in order of owner, when and label."""
    lines = sorted(tally.lines.items(), key=lambda each: (each[0].owner_id, each[0].when, each[0].label or ""))
    return [
        (
            key.owner_id,
            str(key.when),
            key.label,
            line.events,
            line.event_micros,
            line.corrections,
            line.correction_micros,
            line.credit_micros,
            line.judged_events,
            line.unreliable_events,
        )
        for key, line in lines
    ]
