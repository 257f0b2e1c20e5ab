"""Owners' names as people write them: who is known, and whom a misspelt name is likely to mean."""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from gmv.errors import CorrectionsRefused
from gmv.ledger.port import Accounts
from gmv.operations.correction_file import CorrectionFile
from gmv.valuation.correction import Correction
from gmv.valuation.evidence import UNATTRIBUTED

ListedOwners = Callable[[], Collection[str] | None]
"""Returns all owners of the index and of the owners file; None where neither is named."""

_MATCHES_MAX: Final = 3


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that are spelt like this one, closest first; neither case nor width counts."""
    by_form: dict[str, list[str]] = {}
    for each in known:
        by_form.setdefault(_form(each), []).append(each)
    forms = get_close_matches(_form(name), by_form, _MATCHES_MAX)
    return [each for form in forms for each in sorted(by_form[form])][:_MATCHES_MAX]


def likely_meant(name: str, known: Iterable[str]) -> str:
    """Return a half-sentence that names close matches, "" where there is none."""
    names = close_names(name, known)
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def refuse_unknown_payees(
    file: CorrectionFile,
    pending: Sequence[Correction],
    accounts: Accounts,
    listed: ListedOwners,
    new_owners: Collection[str],
) -> None:
    """See that who is given micro-credits is an owner of the ledger, of the index or of the owners file.

    Args:
        file: of the corrections.
        pending: those that are to be applied.
        accounts: of the ledger.
        listed: asked where the ledger does not know a payee.
        new_owners: names that are meant, though nothing knows them.

    Raises:
        CorrectionsRefused: a payee is none of these; close matches are named.
    """
    payees = {each.to_owner for each in pending if each.to_owner is not None} - {UNATTRIBUTED, *new_owners}
    if not (unknown := payees - accounts.totals(sorted(payees)).keys()):
        return
    owners = listed()
    if not (unknown := unknown - set(owners or ())):
        return
    correction = next(each for each in pending if each.to_owner in unknown)
    payee = str(correction.to_owner)
    known = {balance.owner_id for balance in accounts.balances()} | set(owners or ())
    where = "the ledger, the index and the owners file" if owners is not None else "the ledger (no index is named)"
    raise CorrectionsRefused(
        f"{file.path}:{correction.offset + 1} pays {payee!r}, whom {where} do{'' if owners is not None else 'es'} not "
        f"know{likely_meant(payee, known) or '.'} Correct the name, or say by --new-owner that it is meant; nothing of "
        "the file was applied"
    )


def _form(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
