"""exp and ln, correctly rounded, so that they are the same numbers everywhere.

A C library's are within an ulp, each in its own way: glibc takes other instructions, and has other last bits, where a
processor has fused multiplication. Here they are computed with integers, which have no rounding of their own, as a
lower and an upper bound. Where both round to the same float64, that is the nearest there is; where they do not, more
bits are taken (Ziv, ACM Transactions on Mathematical Software 17, 1991). That ends, since no value is half-way between
two floats: of a rational number other than 0, or 1, both functions are transcendental (Lindemann).
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Final

Bounds = tuple[int, int, int]
"""Lower and upper bound, and the power of two that both are multiplied by."""

_BITS: Final = 96
"""Of fractions, at first: one number in 2^27 needs more. An exponential takes some 5 us."""

_UNDERFLOW: Final = -746.0
"""exp of it is below 2^-1075, half of the least float64 above 0."""

_OVERFLOW: Final = 710.0

_HALVINGS: Final = 5
_SQRT_HALF: Final = 0.7071067811865476


def exponential(power: float) -> float:
    """Return the float64 nearest to e to the power, which is finite; 0 below 2^-1075.

    Raises:
        OverflowError: it is above the largest float64.
    """
    if power < _UNDERFLOW:
        return 0.0
    if power > _OVERFLOW:
        raise OverflowError(f"e to the power of {power} is above all float64")
    return _nearest(_exponential, power)


def logarithm(number: float) -> float:
    """Return the float64 nearest to the natural logarithm of a number above 0, finite."""
    return _nearest(_logarithm, number) if number != 1.0 else 0.0


def _nearest(between: Callable[[float, int], Bounds], argument: float) -> float:
    bits = _BITS
    while True:
        low, high, exponent = between(argument, bits)
        found = _rounded(low, exponent)
        if found == _rounded(high, exponent):
            return found
        bits *= 2


def _rounded(whole: int, exponent: int) -> float:
    """Return the float64 nearest to whole x 2^exponent: Python divides and converts integers correctly rounded."""
    return whole / (1 << -exponent) if exponent < 0 else float(whole << exponent)


def _exponential(power: float, bits: int) -> Bounds:
    """With x = k ln 2 + r, 0 <= r < ln 2: 2^k times the series of e^(r / 32), squared five times.

    Let a unit be 2^-bits. r is good to 1,080 units, since |k| < 1,080; r / 32 and each of the at most bits / 5 terms
    lose 2 units, which the squarings make 64; these lose less than 64 themselves. All is below 2, so the sum is good
    to 26 bits + 2,400 units, and to 256 bits of them with 96 bits and more.
    """
    numerator, denominator = power.as_integer_ratio()
    fixed = (numerator << bits) // denominator
    doublings, rest = divmod(fixed, _ln_2(bits))
    rest >>= _HALVINGS
    term = total = 1 << bits
    count = 0
    while term:
        count += 1
        term = (term * rest >> bits) // count
        total += term
    for _ in range(_HALVINGS):
        total = total * total >> bits
    return total - (bits << 8), total + (bits << 8), doublings - bits


def _logarithm(number: float, bits: int) -> Bounds:
    """With x = 2^k m, m within a factor of sqrt 2 of 1: k ln 2 + 2 artanh((m - 1) / (m + 1)).

    k ln 2 is good to 1,075 units, and the series to 2 units for each of its at most bits / 5 terms.
    """
    part, doublings = math.frexp(number)  # exact
    if part < _SQRT_HALF:
        part, doublings = 2 * part, doublings - 1
    numerator, denominator = part.as_integer_ratio()
    ratio = (abs(numerator - denominator) << bits) // (numerator + denominator)
    half = _artanh(ratio, bits) if numerator > denominator else -_artanh(ratio, bits)
    total = doublings * _ln_2(bits) + 2 * half
    return total - (bits << 8), total + (bits << 8), -bits


@cache
def _ln_2(bits: int) -> int:
    """Return ln 2 in units, rounded down: 2 artanh(1 / 3), computed with 64 bits more."""
    return 2 * _artanh((1 << bits + 64) // 3, bits + 64) >> 64


def _artanh(ratio: int, bits: int) -> int:
    """Return the series r + r^3 / 3 + r^5 / 5 + ..., r from 0 to 1 / 3, in units."""
    square = ratio * ratio >> bits
    total, power, odd = ratio, ratio, 1
    while power:
        power = power * square >> bits
        odd += 2
        total += power // odd
    return total
