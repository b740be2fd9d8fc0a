"""May this person be federated to this connection? One pure decision for the assertion and for provisioning alike."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple


class Decision(NamedTuple):
    """The answer, the rule that gave it (stable dotted name), and one plain sentence for the person and the log."""

    allowed: bool
    rule: str
    reason: str


def decide(
    *,
    guest: bool,
    suspended: bool,
    person_audiences: AbstractSet[str],
    connection_audiences: AbstractSet[str],
    connection_active: bool,
    everybody: bool = False,
) -> Decision:
    """Decide whether a connection may be told about a person.

    Audiences are compared by identifier. `everybody` is the administrator's explicit choice that the connection serves
    all people; without it, a connection for which no audience was chosen serves nobody. A guest or a suspended person
    is refused whatever the audiences say.
    """
    if not connection_active:
        return Decision(False, "eligibility.connection", "The connection to this site is not active.")
    if guest:
        return Decision(False, "eligibility.guest", "Guest accounts cannot be used at other sites.")
    if suspended:
        return Decision(False, "eligibility.suspended", "This account is suspended.")
    if everybody:
        return Decision(True, "eligibility.everybody", "This site is open to everybody.")
    if not connection_audiences:
        return Decision(False, "eligibility.no_audience", "No audience has been chosen for this site yet.")
    if person_audiences.isdisjoint(connection_audiences):
        return Decision(False, "eligibility.audience", "This account is not in an audience that this site is open to.")
    return Decision(True, "eligibility.audience", "This account is in an audience that this site is open to.")
