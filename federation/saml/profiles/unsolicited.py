"""Unsolicited responses, the start (SAML Profiles 4.1.5): a link names the SP, and there is no request.

The link has the parameters that Shibboleth gave it, which other software and its users know: `providerId` (the SP's
entityID), `shire` (its assertion consumer service), `target` (the RelayState), `time` (seconds since 1970).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from federation.errors import Malformed
from federation.saml.bindings.parameters import check_relay_state
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata.entity import Endpoint, Entity
from federation.saml.profiles import common
from federation.saml.profiles.sso_request_rules import choose_acs

_NAMES: Final = ("providerId", "shire", "target", "time")
_MAX_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Start:
    """What a link asks for."""

    entity_id: str
    acs_url: str | None = None
    relay_state: str | None = None
    time: datetime | None = None


def parse(fields: Iterable[tuple[str, str]]) -> Start:
    """Read a link's parameters; others are ignored, and an empty one counts as left out.

    Raises `Malformed`: unsolicited.duplicate, unsolicited.provider_id, unsolicited.time, unsolicited.relay_state.
    """
    found: dict[str, str] = {}
    for name, value in fields:
        if name in _NAMES:
            if name in found:
                raise Malformed("unsolicited.duplicate", f"{name} occurs twice")
            found[name] = value
    if not found.get("providerId"):
        raise Malformed("unsolicited.provider_id", "no providerId")
    return Start(
        entity_id=found["providerId"],
        acs_url=found.get("shire") or None,
        relay_state=check_relay_state(found.get("target") or None, "unsolicited"),
        time=_instant(found.get("time") or None),
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise Malformed("unsolicited.time", "not a number of seconds")
    return datetime.fromtimestamp(int(text), UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules look at: what the link asks for, and what we know."""

    start: Start
    partner: Entity
    now: datetime
    skew: timedelta
    max_age: timedelta
    answer_bindings: tuple[str, ...]

    @property
    def acs(self) -> Endpoint | None:
        """The endpoint for the response: what the link names exactly, or the SP's default where it names none."""
        return choose_acs(self.partner, self.answer_bindings, url=self.start.acs_url)


@rule("unsolicited.partner_metadata", "SAML Metadata 2.3.2, 2.4.1")
def partner_metadata(context: Context) -> Seen:
    """What we know about the partner is still valid."""
    return common.metadata_valid(context.partner, context.partner.sp, now=context.now)


@rule("unsolicited.acs", "SAML Profiles 4.1.4.1, 4.1.5; SDP-IDP06")
def acs(context: Context) -> Seen:
    """The endpoint is in the SP's metadata exactly as named, with a binding that we can use."""
    endpoints = () if context.partner.sp is None else context.partner.sp.assertion_consumer
    known = ", ".join(each.location for each in endpoints if each.binding in context.answer_bindings)
    expected = f"an assertion consumer service of the metadata: {known or 'none'}"
    return context.acs is not None, expected, context.start.acs_url or "the default"


@rule("unsolicited.time", "SAML Profiles 4.1.5; SAML Core 3.2.1")
def time(context: Context) -> Seen:
    """A link that says when it was made was made just now, as clocks go."""
    made = context.start.time
    if made is None:
        return True, "no time, or one just now", "none"
    return common.issued_in_window(made, now=context.now, skew=context.skew, max_age=context.max_age)


RULES: Final = (partner_metadata, acs, time)


def accept(
    start: Start,
    *,
    partner: Entity,
    now: datetime,
    answer_bindings: Sequence[str],
    skew: timedelta = common.SKEW,
    max_age: timedelta = common.MAX_AGE,
) -> tuple[Endpoint, tuple[Check, ...]]:
    """Where the response goes, and every check made. Raises `Refused`."""
    context = Context(start, partner, now, skew, max_age, tuple(answer_bindings))
    checks = run(RULES, (), context)
    return cast("Endpoint", context.acs), checks
