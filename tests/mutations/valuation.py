"""What makes the numbers right before they reach the ledger."""

from .mutation import Mutation, pytest

MUTATIONS = [
    Mutation(
        "Shares add up to the budget",
        "valuation/apportion.py",
        "        shares[place] += 1\n",
        "        pass\n",
        pytest("tests/valuation/test_apportion.py"),
    ),
    Mutation(
        "Equal remainders are served in order of id",
        "valuation/apportion.py",
        "key=lambda place: (-quotas[place][1], ids[place])",
        "key=lambda place: -quotas[place][1]",
        pytest("tests/valuation/test_apportion.py"),
    ),
    Mutation(
        "An exponential is the nearest float there is, on every processor",
        "valuation/utility.py",
        "[exponential(-(",
        "[math.exp(-(",
        pytest("tests/valuation/test_exact_functions.py", "-m", "not slow"),
    ),
    Mutation(
        "Digits that do not tell which float is nearest are not believed",
        "valuation/exact_functions.py",
        "        if found == _rounded(high, exponent):\n",
        "        if True:\n",
        pytest("tests/valuation/test_exact_functions.py", "-m", "not slow"),
    ),
    Mutation(
        "A batch id covers every receipt",
        "valuation/receipt.py",
        "        digest.update(orjson.dumps(entry))\n",
        "",
        pytest("tests/valuation/test_receipt.py"),
    ),
    Mutation(
        "Receipts prove themselves by the digest of their batch",
        "operations/published.py",
        " and batch_id(self.receipts) == self.id",
        "",
        pytest("tests/operations/test_verifying.py"),
    ),
    Mutation(
        "Every total is compared with its receipts, to the micro-credit",
        "operations/verifying.py",
        "        if balance.micros != explained:\n",
        "        if abs(balance.micros - explained) > 1:\n",
        pytest("tests/operations/test_verifying.py", "tests/cli/test_ledger.py", "-k", "explanation or sqlite"),
    ),
    Mutation(
        "A correction takes no more than its event paid",
        "operations/corrected_events.py",
        "[correction.from_owner]) < correction.micros:",
        "[correction.from_owner]) < 0:",
        pytest("tests/operations/test_corrected_events.py"),
    ),
    Mutation(
        "A line of corrections counts for those after it",
        "operations/corrected_events.py",
        "        paid.add(event, book, correction.changes)\n",
        "",
        pytest("tests/operations/test_corrected_events.py"),
    ),
    Mutation(
        "Receipts of corrections that were never committed pay nobody",
        "operations/corrected_events.py",
        "            if each.is_committed:\n                self.add(",
        "            if True:\n                self.add(",
        pytest("tests/operations/test_corrected_events.py"),
    ),
    Mutation(
        "Receipts of corrections are in the topic before the commit",
        "assembly/correction_receipts.py",
        "                if to_topic is not None:\n",
        "                if False:\n",
        pytest("tests/kafka/test_corrections.py", "-k", "lost and sqlite"),
    ),
    Mutation(
        "Others take the places of images that are left out",
        "assembly/left_out.py",
        "rows[~self._left_out[rows]]",
        "rows",
        pytest("tests/assembly/test_left_out.py"),
    ),
    Mutation(
        "An owner without a total is missed where receipts have credits for them",
        "operations/verifying.py",
        "    ]\n    if differing:\n",
        "    ][:0]\n    if differing:\n",
        pytest("tests/operations/test_verifying.py"),
    ),
]
