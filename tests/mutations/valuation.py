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
        "A batch id covers every receipt",
        "valuation/receipt.py",
        "        digest.update(orjson.dumps(entry))\n",
        "",
        pytest("tests/valuation/test_receipt.py"),
    ),
]
