"""What an administrator can get wrong: branches of the one error tree, by the names that this app has for them."""

from __future__ import annotations

from federation.errors import InvalidInput, NotThere

__all__ = ["InvalidInput", "NotThere"]
