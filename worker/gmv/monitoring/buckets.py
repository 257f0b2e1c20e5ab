"""Edges of the buckets of histograms, and why they lie there."""

from typing import Final

# From a commit's round trip on one host, 0.3 ms, up to 30 s: half of the default rebalance time-out, which a run may
# not pass. Three per decade: a quantile read off them is within a factor of about two, which is enough to say which
# stage has grown, and keeps eight stages to about a hundred series.
STAGE_SECONDS_BUCKETS: Final = (0.0003, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0)

# Powers of two around the default limit of 128 records, up to the largest that the settings allow.
RUN_RECORDS_BUCKETS: Final = (1, 4, 16, 32, 64, 128, 256, 512, 1024, 1500)

# 1 where one image takes all, K where all share evenly; K is 10 by default. Edges keep off 1 and 10, where rounding
# would decide. At an index's own temperature copies lie at 1 and half of all mixes below 1.5, so there are more there;
# nothing lies below the first, so that no quantile is read off as less than 1.
EFFECTIVE_CONTRIBUTORS_BUCKETS: Final = (
    *(0.99, 1.05, 1.25, 1.5, 2.0, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 30.5, 100.5, 1000.5),
)

# Where recall is good they crowd at the front; where its order says nothing, a tenth of them is in the last tenth.
CONTRIBUTOR_DEPTH_BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

# Fine where levels are chosen, and even beyond: p-values of events without a source fill all of them alike.
P_VALUE_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

# From 5 ms, below which no run was ever seen, densely up to 100 ms, which is what a worker that keeps up should stay
# within; a rebalance costs up to a minute; at 300 s the stuck detector ends the worker; beyond that it is a backlog,
# from hours to a day. Alerts count from 60 s.
EVENT_TO_CREDIT_SECONDS_BUCKETS: Final = (
    *(0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86_400.0),
)
