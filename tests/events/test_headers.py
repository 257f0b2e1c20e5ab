import pytest
from hypothesis import assume, given, seed
from hypothesis import strategies as st

from gmv.errors import Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.encoding import binary_of_structured
from gmv.events.headers import spelling_hint
from tests.events.samples import line

NEEDED = ("specversion", "type", "source", "id")
VALUE, HEADERS = binary_of_structured(line()).value, binary_of_structured(line()).headers


@st.composite
def other_names(draw: st.DrawFn) -> dict[str, str]:
    """Some of the needed headers, each with another name than the binding's."""
    prefix = draw(st.sampled_from(["ce", "cloudevents", "cloudevent"]))
    separator = draw(st.sampled_from(["_", "-", ":", ".", "", " "]))
    case = draw(st.sampled_from([str.upper, str.title, str.lower, str.swapcase]))
    attributes = draw(st.sets(st.sampled_from(NEEDED), min_size=1))
    names = {f"ce_{each}": case(f"{prefix}{separator}{each}") for each in sorted(attributes)}
    assume(all(ours != other for ours, other in names.items()))
    return names


@seed(15)
@given(names=other_names())
def test_headers_in_another_spelling_are_named_with_the_one_that_is_read(names: dict[str, str]) -> None:
    with pytest.raises(Poison) as caught:
        decode(VALUE, [(names.get(name, name), value) for name, value in HEADERS])

    assert len(caught.value.detail) <= 300
    for ours, other in names.items():
        assert repr(other) in caught.value.detail
        assert ours in caught.value.detail


@seed(15)
@given(quoted=st.sets(st.sampled_from(["ce_specversion", "ce_type", "content-type"]), min_size=1))
def test_headers_in_quotes_are_named(quoted: set[str]) -> None:
    with pytest.raises(Poison) as caught:
        decode(VALUE, [(name, b'"' + value + b'"' if name in quoted else value) for name, value in HEADERS])

    assert "JSON's quotes" in caught.value.detail
    assert all(repr(name) in caught.value.detail for name in quoted)


@pytest.mark.parametrize("name", ["Content-Type", "contentType", "content_type"])
def test_another_spelling_of_the_content_type_is_named_where_it_tells_the_mode(name: str) -> None:
    with pytest.raises(Poison, match=f"there is '{name}', but gmv reads content-type"):
        decode(b"[]", [(name, b"application/cloudevents-batch+json")])
    with pytest.raises(Poison) as caught:
        decode(b"[]", [(name, b"application/json")])
    assert name not in caught.value.detail


def test_what_is_read_is_read_whatever_else_is_there() -> None:
    more = [("CE_ID", b"other"), ("ce-source", b'"other"'), ("Content-Type", b"application/cloudevents-batch+json")]

    assert decode(VALUE, [*more, *HEADERS]) == decode(line())
    assert decode(line(), more) == decode(line()), "a whole event, which needs no headers"
    assert decode(VALUE, [(name, b'"x"' if name == "ce_id" else value) for name, value in HEADERS]).event_id == '"x"'


def test_no_header_is_blamed_for_what_is_wrong_elsewhere() -> None:
    assert spelling_hint([*HEADERS, ("CE_ID", b"other"), ("id", b"1"), ("ceremony", b""), ("x", b'"y"')]) is None
    with pytest.raises(Poison) as caught:
        decode(b"{}", [*HEADERS, ("CE-ID", b"other")])
    assert caught.value.detail == "data should have either image or features"


def test_a_mode_that_is_told_by_a_header_alone_keeps_its_reason() -> None:
    with pytest.raises(Poison, match="'CE_TYPE'") as caught:
        decode(b"{broken", [("CE_TYPE", b"gmv.image.generated.v1")])
    assert caught.value.reason == Reason.MALFORMED_JSON
