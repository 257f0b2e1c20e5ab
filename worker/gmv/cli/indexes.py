"""How commands open the index that the settings name."""

from typing import TYPE_CHECKING

from gmv.errors import InvalidSettings

if TYPE_CHECKING:
    from gmv.index.opened import Index
    from gmv.settings import Settings


def open_verified(settings: "Settings") -> "Index":
    """Open the index and check every digest; tell who watches where the temperature is out of place.

    Raises:
        InvalidSettings: no index is named.
        IndexRefused: it is missing or altered.
    """
    if settings.index is None:
        raise InvalidSettings("no index is named; give --index FOLDER, GMV_INDEX or `index` in the configuration file")
    from gmv.cli.output import tell_who_watches
    from gmv.cli.warm import compile_kernel
    from gmv.index.advice import WITHOUT_TEMPERATURE, misplaced_temperature
    from gmv.index.opened import open_index

    compile_kernel()
    index = open_index(settings.index, verify=True)
    temperature = settings.valuation.temperature
    if temperature is not None and (misplaced := misplaced_temperature(index.manifest, temperature)) is not None:
        tell_who_watches(f"{misplaced}; {WITHOUT_TEMPERATURE}")
    return index


def warn_of_undated_copies(index: "Index", settings: "Settings") -> None:
    """Say on stderr where who registered first is to be paid and the corpus does not tell; watched or not."""
    from gmv.cli import terminal
    from gmv.index.advice import undated_copies

    if settings.valuation.copies == "earliest" and (told := undated_copies(index.groups.undated)) is not None:
        terminal.say(f"gmv: {told}")
