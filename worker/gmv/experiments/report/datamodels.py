"""The section of the linear datamodelling score."""

from gmv.experiments.report.layout import Result, Section, Table, interval


def lds_section(result: Result) -> Section:
    """All methods, seed by seed, and what others published."""
    seeds = [each["seed"] for each in result["methods"][0]["seeds"]]
    over = ("mean",) if len(seeds) > 1 else ()
    methods = Table(
        ("method", "sees", *(f"seed {seed}" for seed in seeds), *over),
        tuple(
            (
                each["method"],
                each["sees"],
                *(interval(seed, ".3f") for seed in each["seeds"]),
                *(interval(each["score"], ".3f") for _ in over),
            )
            for each in result["methods"]
        ),
    )
    published = Table(
        ("published, on CIFAR-2", "least to best", "source"),
        tuple((each["method"], _range(each), each["source"]) for each in result["published"]),
    )
    return Section(
        f"Linear datamodelling score on {result['dataset']}: is the generator worse without what is scored high?",
        result["command"],
        (*_setting(result), *result["left_out"]),
        (methods, published),
    )


def _setting(result: Result) -> list[str]:
    counts = f"{result['images']:,} training images, {result['drawn']:,} generated ones, {result['subsets']} subsets"
    if result["trainings"] is None:
        return [f"{counts}; masks and losses are of others.", *_READING]
    trained = "once" if result["trainings"] == 1 else f"{result['trainings']} times, and losses are averaged"
    sentences = [f"{counts}: halves of each class. A generator was trained on each {trained}.", *_READING]
    if result["agreement"] is not None:
        sentences.append(
            f"Two trainings of the same halves order them alike by {interval(result['agreement'], '.3f')}: what is "
            "missing to 1 is chance in training, which no score of images explains."
        )
    return sentences


_READING = (
    "Spearman's rank correlation, over subsets, of summed scores with how low the loss is: 1 at best, 0 by chance.",
    "Intervals of a seed are over generated images, which share their subsets; those of the mean are over seeds.",
)


def _range(published: Result) -> str:
    if published["low"] == published["high"]:
        return f"{published['low']:.3f}"
    return f"{published['low']:.3f} to {published['high']:.3f}"
