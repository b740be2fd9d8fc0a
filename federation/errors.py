"""The one error tree of the toolkit.

    FederationError
    ├── ProtocolError          a partner's fault: what arrived breaks a standard or an agreement (never a 500)
    │   ├── Malformed          it could not be read at all
    │   └── Refused            it was read, and a named check failed; carries every check that ran
    ├── ConfigurationError     our own configuration is wrong (the app does not start, the command exits 1)
    ├── PolicyRefusal          a decision: everything is in order and the answer is no
    ├── InvalidInput           a value that was typed, uploaded or given on the command line cannot be used
    └── NotThere               what an administrator names does not exist

An error carries fields; its text is derived from them. The text is for administrators and logs: a browser is shown one
plain sentence and a reference number. No error ever carries an assertion, a key or a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from federation.saml.checks import Check


class FederationError(Exception):
    """Root of the tree: catch this and nothing else to survive any input."""

    rule: str = "federation"

    @property
    def message(self) -> str:
        """One sentence for an administrator."""
        return str(self)


class ProtocolError(FederationError):
    """What a partner sent breaks a standard or an agreement."""

    rule = "protocol"


class Malformed(ProtocolError):
    """The input could not be read as what it claims to be.

    `rule` is the short name of the limit or grammar it broke (`xml.well_formed`, `post.base64`, ...), `reason` says
    how, without echoing the input.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule, reason)
        self.rule = rule
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"


class Refused(ProtocolError):
    """The input was read and a named check failed. `checks` holds all that ran, in order; the last one failed."""

    def __init__(self, checks: Sequence[Check]) -> None:
        super().__init__(tuple(checks))
        self.checks = tuple(checks)
        self.failed = self.checks[-1]
        self.rule = self.failed.rule

    def __str__(self) -> str:
        failed = self.failed
        return f"{failed.rule} ({failed.reference}): expected {failed.expected}, received {failed.received}"


class ConfigurationError(FederationError):
    """Our own configuration is wrong. `problems` names every mistake: setting, value, expectation."""

    rule = "configuration"

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


class PolicyRefusal(FederationError):
    """Nothing is wrong and the answer is still no: the reason is a decision of an administrator."""

    rule = "policy"

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule, reason)
        self.rule = rule
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


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
