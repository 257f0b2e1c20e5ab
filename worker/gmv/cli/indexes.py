"""How commands open the index that the settings name."""

from typing import TYPE_CHECKING

from gmv.errors import InvalidSettings

if TYPE_CHECKING:
    from gmv.index.opened import Index
    from gmv.settings import Settings


def open_verified(settings: "Settings") -> "Index":
    """Open the index and check every digest.

    Raises:
        InvalidSettings: no index is named.
        IndexRefused: it is missing or altered.
    """
    if settings.index is None:
        raise InvalidSettings("no index is named; give --index FOLDER, GMV_INDEX or `index` in the configuration file")
    from gmv.cli.warm import compile_kernel
    from gmv.index.opened import open_index

    compile_kernel()
    return open_index(settings.index, verify=True)
