"""How numbers of things are written in sentences."""


def count_of(number: int, noun: str) -> str:
    """Return "1 event", "0 events" or "1,000 events": thousands separated, and an s for any number but one.

    Args:
        number: of them.
        noun: for one of them; its last word is the one that takes an s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
