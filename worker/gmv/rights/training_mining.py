"""`cawg.training-mining` and its forerunner `c2pa.training-mining`: what their entries mean.

Source: CAWG Training and Data Mining Assertion 1.1; C2PA specification 1.4, 19.18.
"""

from collections.abc import Sequence
from typing import Any, Final

from gmv.rights.said import Said, short

_LABELS: Final = ("cawg.training-mining", "c2pa.training-mining")
_OF_TRAINING: Final = frozenset({"data_mining", "ai_training", "ai_generative_training"})
_USES: Final = {
    "allowed": ("allowed", False),
    "notAllowed": ("not allowed", True),
    "constrained": ("constrained", True),
}


def said_in_assertions(assertions: Sequence[Any]) -> list[Said]:
    """Return what a manifest's assertions say, as a C2PA reader's JSON has them; what is none of these is passed over.

    Args:
        assertions: objects of `label` and `data`, of whatever form.
    """
    said = []
    for assertion in assertions:
        label = str(assertion.get("label", "")) if isinstance(assertion, dict) else ""
        if label.partition("__")[0].partition(".v")[0] not in _LABELS:
            continue
        data = assertion.get("data")
        entries = data.get("entries") if isinstance(data, dict) else None
        for name, entry in sorted(entries.items()) if isinstance(entries, dict) else ():
            said.append(_said(f"C2PA {label}", str(name), entry))
    return said


def _said(where: str, name: str, entry: Any) -> Said:
    use = entry.get("use") if isinstance(entry, dict) else None
    words, opts_out = _USES.get(str(use), (f"{short(str(use))!r}, which is in no vocabulary", False))
    constraint = short(str(entry.get("constraint_info", ""))) if isinstance(entry, dict) else ""
    of_training = name.rpartition(".")[2] in _OF_TRAINING
    return Said(where, f"{short(name)} {words}" + (f" ({constraint})" if constraint else ""), opts_out and of_training)
