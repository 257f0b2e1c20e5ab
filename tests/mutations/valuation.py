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
        "An owner without a total is missed where receipts have credits for them",
        "operations/verifying.py",
        "    ]\n    if differing:\n",
        "    ][:0]\n    if differing:\n",
        pytest("tests/operations/test_verifying.py"),
    ),
]
