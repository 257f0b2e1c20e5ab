"""exp and ln, correctly rounded, so that they are the same numbers everywhere.

A C library's are within an ulp, each in its own way: glibc takes other instructions, and has other last bits, where a
processor has fused multiplication. `decimal` computes with integers, and rounds both correctly to any number of
digits (General Decimal Arithmetic Specification, 1.70). What is left is whether those digits tell which float64 is
nearest; where they do not, more are taken (Ziv, ACM Transactions on Mathematical Software 17, 1991). That ends, since
neither function has a value half-way between two floats: of a rational number other than 0 and 1 it is transcendental
(Lindemann).
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Final

_DIGITS: Final = 25
"""At first. A float64 has 17: one number in about 10^8 needs more."""

_UNDERFLOW: Final = -746.0
"""exp of it is below 2^-1075, half of the least float64 above 0."""


def exponential(power: float) -> float:
    """Return the float64 nearest to e to the power; 0 below 2^-1075.

    Raises:
        OverflowError: it is above the largest float64.
    """
    if power < _UNDERFLOW:
        return 0.0
    found = _nearest(Context.exp, power)
    if found == float("inf"):
        raise OverflowError(f"e to the power of {power} is above all float64")
    return found


def logarithm(number: float) -> float:
    """Return the float64 nearest to the natural logarithm of a number above 0, finite."""
    return _nearest(Context.ln, number)


def _nearest(function: Callable[[Context, Decimal], Decimal], argument: float) -> float:
    digits = _DIGITS
    while True:
        context = Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX)
        value = function(context, Decimal(argument))
        low, high = float(context.next_minus(value)), float(context.next_plus(value))
        if low == high:
            return high
        digits *= 2
