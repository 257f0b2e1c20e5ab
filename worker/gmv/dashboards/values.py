"""How values are written: short, with the unit that makes them readable."""

from gmv.dashboards.panels import Unit

_THOUSANDS = ("", "k", "M", "G", "T")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_TIMES = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_WORDS = {
    Unit.EVENTS_PER_SECOND: "events/s",
    Unit.RECORDS_PER_SECOND: "records/s",
    Unit.PER_SECOND: "per second",
    Unit.CREDITS: "credits",
    Unit.CREDITS_PER_SECOND: "credits/s",
    Unit.CORES: "cores",
}


def written(value: float, unit: Unit) -> str:
    """Return a value with its unit, in three digits or so: 0.0213 seconds is "21.3 ms"."""
    return f"{number(value, unit)} {word(unit)}".strip()


def word(unit: Unit) -> str:
    """Return the unit where it is the same for every size, as in "events/s"; empty where it goes with the number."""
    return _WORDS.get(unit, "")


def number(value: float, unit: Unit) -> str:
    """Return a value without its `word`: where many are together, the word is said once."""
    match unit:
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.RATIO:
            return f"{_digits(100 * value)} %"
        case Unit.BYTES:
            return _scaled(value, 1_024.0, _BINARY)
        case _:
            return _scaled(value, 1_000.0, _THOUSANDS).strip()


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0.0:
        return "0 s"
    factor, name = next(((factor, name) for factor, name in _TIMES if size >= factor), _TIMES[-1])
    return f"{_digits(value / factor)} {name}"


def _scaled(value: float, base: float, names: tuple[str, ...]) -> str:
    place = 0
    while abs(value) >= base and place < len(names) - 1:
        value /= base
        place += 1
    return f"{_digits(value)} {names[place]}"


def _digits(value: float) -> str:
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:.0f}"
