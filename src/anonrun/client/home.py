"""What is said for people shows `~` for the home folder, which often bears its owner's name.

What is said is saved with a notebook, also what a script says that a cell runs (`!python train.py`); so the host
decides nothing here.
"""

from __future__ import annotations

import os
import re

__all__ = ["without_home"]


def without_home(text: str) -> str:
    r"""Return `text` with `~` for the home folder, as it is named and as links to it resolve.

    Example:
        >>> without_home(os.path.expanduser("~") + os.sep + "data").startswith("~")
        True
    """
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home() raises where there is none
    named = {home, os.path.realpath(home)}
    spelled = named | {name.replace("\\", "\\\\") for name in named}  # as `repr` writes it
    for name in sorted(spelled, key=len, reverse=True):
        if name.strip("/\\") and name != "~":  # the root is everywhere
            text = re.sub(re.escape(name.rstrip("/\\")) + r"(?!\w)", "~", text)
    return text
