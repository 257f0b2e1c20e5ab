"""The section of how good what generators draw is."""

from gmv.experiments.report.layout import Result, Section, Table, interval


def quality_section(result: Result) -> Section:
    """Both figures of each generator, of used images and of noise."""
    rows = tuple(
        (each["source"], interval(each["distance"], ".2f"), interval(each["score"], ".2f"))
        for each in result["sources"]
    )
    recognised = interval(result["recognised"], ".1%")
    text = (
        f"{result['images']:,} images of {result['dataset']}, {result['drawn']:,} drawn by each generator.",
        f"Distances are from unused images, in {result['features']}.",
        f"It was trained on the third part, and tells the class of {recognised} of unused images.",
        "So no figure can be compared with those by Inception's network.",
        f"Lower distances are better; scores are at most {result['classes']}, of all images at once.",
    )
    return Section(
        f"Quality on {result['dataset']}: Frechet distance and Inception Score of what is drawn",
        result["command"],
        text,
        (Table(("images", "Frechet distance", "Inception Score"), rows),),
    )
