"""What judges the evidence of events, made of an index and of settings."""

from gmv.errors import IndexRefused, InvalidSettings
from gmv.index.evidence import EvidenceJudge
from gmv.index.opened import Index
from gmv.settings import Method
from gmv.valuation.evidence import LEVEL, RANK, UNATTRIBUTED, EvidenceRule, least_p_value


def judge_of(method: Method, index: Index) -> EvidenceJudge | None:
    """Return the judge; None where settings ask for none, and the index has nothing to compare with.

    Raises:
        IndexRefused: settings ask for evidence, and the index has nothing to compare with, or an owner of the name that
            is an account's.
        InvalidSettings: no event can reach the level, too few candidates are ranked for a ratio, or near copies, which
            the index has, rank each by itself.
    """
    measured = index.manifest.evidence
    if method.copies == "off" and len(index.groups):
        # The index measured its ratios with one place for each group; by single rows five copies are a ratio of 1.
        if method.evidence is not None:
            raise InvalidSettings(
                f"valuation.copies is off, and evidence compares groups of near copies, of which {index.path} has "
                f"{len(index.groups):,}: give --copies even or earliest, or leave out --evidence (valuation.evidence)"
            )
        return None
    if method.evidence is not None:
        if measured is None:
            raise IndexRefused(
                f"{index.path} was built by an earlier gmv and says nothing of evidence; build it again, or leave out "
                "--evidence (valuation.evidence)"
            )
        if index.images.known_owners({UNATTRIBUTED}):
            raise IndexRefused(
                f"{index.path} has an owner {UNATTRIBUTED!r}, which is the account of events that are evidence for "
                "nobody: rename the owner and build again, or leave out --evidence (valuation.evidence)"
            )
        if method.evidence < (least := least_p_value(measured.ratios)):
            raise InvalidSettings(
                f"valuation.evidence is {method.evidence:g}, and no event has a p-value below {least:.3g} by an index "
                f"of {index.manifest.corpus.images:,} images: nobody would ever be credited. Give a higher level"
            )
        if method.candidates < RANK:
            raise InvalidSettings(
                f"valuation.candidates is {method.candidates}, and evidence needs {RANK} at least: give more, or leave "
                "out --evidence (valuation.evidence)"
            )
    if measured is None:
        return None
    rule = EvidenceRule(measured.ratios, method.evidence or LEVEL, is_policy=method.evidence is not None)
    return EvidenceJudge(rule, measured.flat_from, index.tokens, index.position_numbers)
