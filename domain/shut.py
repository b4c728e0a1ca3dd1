"""Whether words of Dhan, its risk management or an exchange say that the market takes nothing now.

The phrases are narrow on purpose, as whatever they fit is tried again.
"""

import re

_SHUT = re.compile(
    r"\bmarkets? (?:(?:is|are|has been) )?(?:currently )?(?:closed|halted|not open)\b"
    r"|\btrading (?:(?:is|has been) )?(?:halted|suspended)\b"
    r"|\boutside (?:of )?(?:market|trading) hours\b",
    re.IGNORECASE,
)


def says_shut(words: str) -> bool:
    """Whether an order came to nothing only because of the time."""
    return _SHUT.search(words) is not None
