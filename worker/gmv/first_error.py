"""What is wrong with data that a model refuses, in a few words."""

from pydantic import ValidationError


def first_error(error: ValidationError, of_all: str) -> str:
    """Return the name of the first field that is wrong and what is: `images.bytes_max: Input should be …`.

    Args:
        error: of a model.
        of_all: what to call the whole, where no field is to blame.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or of_all}: {first['msg']}"
