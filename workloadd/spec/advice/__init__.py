"""What is allowed in a workload file, and better said otherwise.

One rule, one function: it looks at a part of a spec and yields what it would tell its writer.
"""

from workloadd.spec.advice.table import RULES, advice

__all__ = ["RULES", "advice"]
