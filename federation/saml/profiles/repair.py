"""What to do about a refusal, where its cause is known: one sentence for an administrator, from what a check saw."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from federation.errors import FederationError
from federation.saml.names import StatusCode
from federation.saml.times import parse_instant

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What we know besides the check.

    `partner`: how the other side is called here. `certificates`: the fingerprints that came with the message.
    `keys`: the fingerprints of the keys that its metadata has today. `metadata_since`: since when we have that
    metadata; `refused_at`: when the message was refused, so a later metadata already holds the repair.
    """

    partner: str = "the other side"
    certificates: Collection[str] = ()
    keys: Collection[str] = ()
    metadata_since: datetime | None = None
    refused_at: datetime | None = None


def repair(check: Mapping[str, Any], known: Known) -> str | None:
    """The repair for a check that failed, or None where the check says all that can be known."""
    rule = str(check["rule"])
    for names, words in _REPAIRS:
        if rule in names or rule.rpartition(".")[2] in names:
            return words(str(check["expected"]), str(check["received"]), known)
    return None


def seconds_off(expected: str, received: str) -> int | None:
    """By how many seconds an instant lies outside what was allowed: above zero when late, below when early."""
    try:
        limits = [parse_instant(text) for text in _INSTANT.findall(expected)]
        instants = [parse_instant(text) for text in _INSTANT.findall(received)]
    except FederationError:
        return None
    if not limits or not instants:
        return None
    instant, earliest, latest = instants[0], min(limits), max(limits)
    late, early = _seconds(instant - latest), _seconds(instant - earliest)
    return late if late > 0 else min(0, early)


def _seconds(span: timedelta) -> int:
    """Whole seconds, away from zero."""
    whole = round(span.total_seconds())
    return whole or (1 if span > timedelta() else -1 if span < timedelta() else 0)


def _issued(expected: str, received: str, known: Known) -> str | None:
    off = seconds_off(expected, received)
    if off is None or off == 0:
        return None
    if off > 0:
        return f"{_ahead(off)} The clock of {known.partner} is ahead of ours: set both by NTP."
    return (
        f"It is {-off} s older than allowed: the clock of {known.partner} is behind ours, or the browser kept the "
        "message. Set both clocks by NTP, and let the person start again."
    )


def _starts(expected: str, received: str, known: Known) -> str | None:
    off = seconds_off(expected, received)
    return None if not off else f"{_ahead(abs(off))} The clock of {known.partner} is ahead of ours: set both by NTP."


def _ends(expected: str, received: str, known: Known) -> str | None:
    off = seconds_off(expected, received)
    if off is None:
        return None
    return (
        f"It ended {abs(off)} s too early for us: the message was kept too long, or our clock is ahead of that of "
        f"{known.partner}. Let the person start again; if that does not help, set both clocks by NTP."
    )


def _ahead(seconds: int) -> str:
    return f"{seconds} s of clock difference more than allowed."


def _key(_expected: str, _received: str, known: Known) -> str:
    came = ", ".join(known.certificates)
    hint = f"The message names the certificate with the SHA-256 {came}" if came else "The message names no certificate"
    since = "" if known.metadata_since is None else f" since {_instant(known.metadata_since)}"
    if set(known.certificates) & set(known.keys):
        later = known.metadata_since and known.refused_at and known.metadata_since > known.refused_at
        if later:
            return (
                f"{hint}: their new key is in their metadata{since}, and ours was older then. Let the person try again."
            )
        return (
            f"{hint}, which their metadata has; the signature does not fit it all the same, so the message was changed "
            "on the way, or its signer is at fault."
        )
    return (
        f"{hint}, and the metadata that we have of {known.partner}{since} does not have that key. If they have changed "
        "their key, refresh their metadata; if they have not, somebody else signed this."
    )


def _instant(instant: datetime) -> str:
    return f"{instant:%a %-d %b %Y, %H:%M} UTC"


def _decrypt(_expected: str, _received: str, known: Known) -> str:
    return f"It is encrypted for a key that we do not have: {known.partner} must refresh our metadata."


def _expired(_expected: str, received: str, known: Known) -> str:
    return f"The metadata of {known.partner} has expired ({received}): refresh it, or ask them for a new document."


def _audience(expected: str, received: str, known: Known) -> str:
    return (
        f"The assertion is for {received}, and we are {expected}: {known.partner} has this site under another "
        "entityID. Give them our metadata."
    )


def _address(expected: str, received: str, known: Known) -> str:
    return (
        f"It was addressed to {received}, and arrived at {expected}: what {known.partner} has of our metadata is old, "
        "or public_url in our settings is not the address that browsers use."
    )


def _acs(_expected: str, received: str, known: Known) -> str:
    return (
        f"{known.partner} wants its answer at {received}, which its metadata does not list: refresh its metadata, or "
        "let its administrator publish that endpoint."
    )


def _stranger(_expected: str, received: str, _known: Known) -> str:
    return f"There is no connection to {received}. If there should be one, connect it by its metadata."


def _identifier(_expected: str, _received: str, known: Known) -> str:
    return f"{known.partner} must release the pairwise-id to this site: its release policy needs a change."


def _context(expected: str, received: str, known: Known) -> str:
    return (
        f"{known.partner} signed the person in by {received}, and {expected} was asked for. The person needs what that "
        "takes there, for instance a second factor; or the class means the same and belongs into authn_contexts."
    )


def _fresh(_expected: str, _received: str, known: Known) -> str:
    return f"{known.partner} was asked to sign the person in anew and did not: it does not honour ForceAuthn."


def _signed(_expected: str, _received: str, known: Known) -> str:
    return f"{known.partner} must sign this. Look at its configuration: its metadata may promise what it does not do."


def _scope(_expected: str, received: str, known: Known) -> str:
    return f"{known.partner} speaks for the scope {received}, which its metadata does not claim: refresh it."


_BY_STATUS: Final = {
    StatusCode.REQUEST_DENIED: "The person may not use this site: put them into an audience of its connection there.",
    StatusCode.NO_AUTHN_CONTEXT: "It has no way of signing in that meets what was asked for, or the person has not.",
    StatusCode.NO_PASSIVE: "Nobody was signed in there, and it was not allowed to ask.",
    StatusCode.AUTHN_FAILED: "The person did not sign in, or cancelled.",
    StatusCode.INVALID_NAME_ID_POLICY: "It does not give the kind of NameID that was asked for.",
    StatusCode.REQUEST_UNSUPPORTED: "It does not support something that was asked for.",
    StatusCode.UNKNOWN_PRINCIPAL: "It does not know the person.",
}


def _status(_expected: str, received: str, known: Known) -> str:
    words = next((text for code, text in _BY_STATUS.items() if code in received), "")
    return f"{known.partner} answered with an error. {words or 'Its own log says why.'}"


_REPAIRS: Final[tuple[tuple[frozenset[str], Callable[[str, str, Known], str | None]], ...]] = (
    (frozenset(("signature.value", "signature.key")), _key),
    (frozenset(("encryption.opens", "encryption.keys")), _decrypt),
    (frozenset(("response.status",)), _status),
    (frozenset(("identifier.pairwise_id",)), _identifier),
    (frozenset(("identifier.scope",)), _scope),
    (frozenset(("assertion.audience",)), _audience),
    (frozenset(("assertion.authn_context",)), _context),
    (frozenset(("assertion.force_authn",)), _fresh),
    (frozenset(("request.acs",)), _acs),
    (frozenset(("request.partner", "logout.partner")), _stranger),
    (frozenset(("idp_metadata", "partner_metadata")), _expired),
    (frozenset(("issue_instant", "authn_instant")), _issued),
    (frozenset(("not_before",)), _starts),
    (frozenset(("not_on_or_after", "session")), _ends),
    (frozenset(("destination", "recipient")), _address),
    (frozenset(("signed",)), _signed),
)
"""From the most particular to the most general: a rule's whole name, or the last part of it."""
