"""exp and ln against exact rational bounds: the float64 that is returned is the nearest there is."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gmv.valuation import exact_functions
from gmv.valuation.exact_functions import exponential, logarithm
from gmv.valuation.utility import utilities
from tests.instruction_sets import assert_same_bytes

BITS = 700
HALVINGS = 20


def exp_between(power: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of e to the power, 2^-600 apart, relatively: the series of power / 2^20, squared 20 times, in integers."""
    one = 1 << BITS
    reduced = math.floor(abs(power) * one) >> HALVINGS
    term, low, number = one, one, 0
    while term:
        number += 1
        term = (term * reduced >> BITS) // number
        low += term
    high = low + 4 * number + one.bit_length()  # what each term and the power lost by rounding down, and the rest
    for _ in range(HALVINGS):
        low, high = low * low >> BITS, (high * high >> BITS) + 1
    between = Fraction(low, one), Fraction(high, one)
    return between if power >= 0 else (1 / between[1], 1 / between[0])


def nearest_exp(power: float) -> float:
    low, high = (float(bound) for bound in exp_between(Fraction(power)))  # a fraction becomes the nearest float
    assert low == high
    return low


def middle(some: float, other: float) -> Fraction:
    return (Fraction(some) + Fraction(other)) / 2


ULP = 2.0**-52

HARD = [
    -ULP / 4,  # 1 - 2^-54 + 2^-109: above the middle of two floats by less than any float says
    -ULP / 2,
    ULP / 2,  # 1 + 2^-53 + 2^-107
    -3 * ULP / 4,
    7.541752774995959e-10,  # hardest of double precision (Lefèvre and Muller, ARITH 15, 2001)
    -1.1278130306104116e-08,
    -5e-324,
    5e-324,
    -0.0,
    -1.0,
    math.log(2),
]


@pytest.mark.parametrize("power", HARD)
def test_exp_is_the_nearest_float_where_that_is_hard_to_tell(power: float) -> None:
    assert exponential(power) == nearest_exp(power)


@given(st.floats(-746.0, 0.0) | st.floats(-1.0, 0.0) | st.floats(0.0, 709.0) | st.integers(-700, 700).map(float))
def test_exp_is_the_nearest_float(power: float) -> None:
    assert exponential(power) == nearest_exp(power)


@given(st.floats(-745.2, -708.0))
@example(-745.1332191019411)  # rounds up to the least float64 above 0
@example(-745.1332191019412)  # the next one rounds to 0
@example(-708.3964185322641)  # the last that is no subnormal number
@example(-708.3964185322642)
@example(-744.4400719213812)
def test_exp_is_the_nearest_float_to_the_end_of_their_range(power: float) -> None:
    assert exponential(power) == nearest_exp(power)


def test_exp_is_0_below_all_floats() -> None:
    assert nearest_exp(-746.0) == 0.0
    for power in (-746.0, -746.0000000000001, -1e6, -1.7976931348623157e308):
        assert exponential(power) == 0.0
    assert exponential(-745.0) > 0.0


def test_exp_above_all_floats_is_refused() -> None:
    assert exponential(709.782712893384) == nearest_exp(709.782712893384)
    for power in (709.7827128933841, 710.0, 1e6):
        with pytest.raises(OverflowError):
            exponential(power)


@given(st.floats(5e-324, 1.0) | st.floats(0.999, 1.001) | st.floats(1.0, 1.7976931348623157e308))
@example(1.0)
@example(1.0 - ULP / 2)
@example(1.0 + ULP)
@example(5e-324)
@example(0.1)
def test_ln_is_the_nearest_float(number: float) -> None:
    found = logarithm(number)
    if number == 1.0:
        assert found == 0.0
        return
    below = exp_between(middle(found, math.nextafter(found, -math.inf)))
    above = exp_between(middle(found, math.nextafter(found, math.inf)))
    assert below[1] < number < above[0]


@pytest.mark.parametrize("bits", [97, 128, 1_000])
def test_how_many_bits_it_begins_with_changes_nothing(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    powers = [*HARD, *(-place * 745.0 / 97 for place in range(98))]
    expected = [exponential(power) for power in powers], [logarithm(1 + abs(power)) for power in powers]
    monkeypatch.setattr(exact_functions, "_BITS", bits)
    assert ([exponential(power) for power in powers], [logarithm(1 + abs(power)) for power in powers]) == expected


@given(st.floats(-746.0, 709.0), st.integers(96, 300))
def test_bounds_hold_what_they_bound(power: float, bits: int) -> None:
    low, high, exponent = exact_functions._exponential(power, bits)
    least, greatest = exp_between(Fraction(power))
    unit = Fraction(2) ** exponent
    assert low * unit < least
    assert greatest < high * unit


@given(st.floats(5e-324, 1.7976931348623157e308), st.integers(96, 200))
def test_bounds_of_ln_hold_what_they_bound(number: float, bits: int) -> None:
    low, high, exponent = exact_functions._logarithm(number, bits)
    unit = Fraction(2) ** exponent
    assert exp_between(low * unit)[1] < number < exp_between(high * unit)[0]


def test_shares_are_made_of_the_nearest_floats() -> None:
    """At distances whose exponential has another last bit in glibc 2.36, on a processor with fused multiplication."""
    for distance in (1.5632, 0.4204, 0.6689, 2.7261, 2.0355, 2.1523, 2.1423):
        likenesses = [1.0, nearest_exp(-distance)]
        total = math.fsum(likenesses)
        assert utilities([0.0, distance], 1.0) == [likeness / total for likeness in likenesses]


@pytest.mark.slow
def test_shares_are_the_same_on_every_processor() -> None:
    assert_same_bytes(
        "import random\n"
        "from gmv.valuation.utility import effective_contributors, utilities\n"
        "draw = random.Random(7)\n"
        "for _ in range(500):\n"
        "    shares = utilities([draw.uniform(0.0, 2.0) for _ in range(10)], draw.uniform(0.01, 1.0))\n"
        "    print(*map(float.hex, shares), effective_contributors(shares).hex())\n"
    )
