"""What a process that only serves does once, when its application is built."""

from __future__ import annotations

import gc
from functools import cache
from typing import Final

COLLECT_EVERY: Final = 20_000
"""So many objects more than before, and the youngest are looked through; Python's own figure is 700."""


@cache
def settle() -> None:
    """Let no garbage collection walk through the application again: it stays until the process ends. Once is enough.

    Walking through some hundred thousand objects of modules and mappings every few requests takes a sixth of the
    processor's time. For a process that is ours; what a host does about its own is the host's business.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
