"""What an administrator can get wrong, as branches of the one error tree.

FederationError
├── InvalidInput     a value that was typed, uploaded or given on the command line cannot be used
└── NotThere         what it names does not exist
"""

from __future__ import annotations

from federation.errors import FederationError


class InvalidInput(FederationError):
    """A value cannot be used. `field` names it, `reason` says why in words that continue "user name …"."""

    rule = "input"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class NotThere(FederationError):
    """There is no such thing. `kind` is a word for people ("person", "audience", "connection")."""

    rule = "not_there"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind = kind
        self.name = name

    def __str__(self) -> str:
        return f"there is no {self.kind} {self.name!r}"
