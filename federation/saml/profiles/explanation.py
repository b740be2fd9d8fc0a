"""What became of a message, as one value to show: on a page, in an audit entry, on the command line.

Whoever accepts a message and whoever only explains one run the same ceremony; this is what both make of its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from federation.errors import FederationError, Malformed, Refused
from federation.saml.checks import Check
from federation.saml.messages import Attribute


@dataclass(frozen=True, slots=True)
class Explanation:
    """The outcome of one message: accepted or not, what it said, and every check in order.

    `name_id` and `attributes` are filled only for an accepted response. `rule` and `message` name the failed check.
    """

    accepted: bool
    checks: tuple[Check, ...]
    name_id: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rule: str | None = None
    message: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON object: accepted, name_id, attributes, error, checks."""
        return {
            "accepted": self.accepted,
            "name_id": self.name_id,
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "error": None if self.accepted else {"rule": self.rule, "message": self.message},
            "checks": [check._asdict() for check in self.checks],
        }


def accepted(
    checks: Sequence[Check], *, name_id: str | None = None, attributes: Sequence[Attribute] = ()
) -> Explanation:
    """The explanation of a message that passed every check. Values of an attribute that came twice are joined."""
    values: dict[str, tuple[str, ...]] = {}
    for attribute in attributes:
        values[attribute.name] = values.get(attribute.name, ()) + attribute.values
    return Explanation(True, tuple(checks), name_id=name_id, attributes=values)


def refused(error: FederationError) -> Explanation:
    """The explanation of a message that was not accepted, whichever error of the tree says so."""
    if isinstance(error, Refused):
        checks = error.checks
    else:
        reason = error.reason if isinstance(error, Malformed) else error.message
        checks = (Check(error.rule, "SAML Bindings 3", "the form that the standard gives", reason, ok=False),)
    return Explanation(False, checks, rule=error.rule, message=error.message)
