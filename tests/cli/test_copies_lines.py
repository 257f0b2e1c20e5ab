"""What a build and `gmv index info` tell of near copies, in words."""

from gmv.cli.copies.found import copies_lines
from gmv.index.measured import AlteredCopies, FoundCopies


def found(groups: int, level: float) -> dict[str, str]:
    return dict(
        copies_lines(
            FoundCopies(
                level=level,
                queries=groups,
                nearest_within=0.5,
                tenth_within=0.0,
                altered=(AlteredCopies(kind="mirrored", images=1, missed=0.0),),
                groups=groups,
                images=2 * groups,
                groups_of_several_owners=0,
            )
        )
    )


def test_one_of_a_kind_is_singular() -> None:
    assert found(1, 1.0)["near copies"] == "1 group of 2 images, 0 of several owners"
    assert found(1, 1.0)["a copy is within"].startswith("1 spacing of tokens; 50.0% of 1 image")
    assert found(2, 0.64)["near copies"] == "2 groups of 4 images, 0 of several owners"
    assert found(2, 0.64)["a copy is within"].startswith("0.64 spacings of tokens; 50.0% of 2 images")
