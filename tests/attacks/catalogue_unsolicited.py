"""Links that start a sign-in without a request, each wrong in just the way that one named check looks for."""

from __future__ import annotations

from urllib.parse import quote

from federation.saml.names import Binding
from federation.saml.profiles import unsolicited
from tests import factories
from tests.attacks.catalogue import Attack
from tests.factories import NOW

HOUR = 3600


def link(**parameters: str) -> unsolicited.Start:
    """A link to the SP, changed."""
    return unsolicited.parse(({"providerId": factories.SP} | parameters).items())


def at(seconds: int) -> str:
    """A time as a link has it."""
    return str(int(NOW.timestamp()) + seconds)


ATTACKS = (
    Attack(
        unsolicited.partner_metadata,
        "to a site whose metadata ran out",
        link,
        lambda: {"partner": factories.sp_entity(valid_until=NOW)},
    ),
    Attack(unsolicited.time, "an old link", lambda: link(time=at(-HOUR))),
    Attack(unsolicited.time, "a link from the future", lambda: link(time=at(HOUR))),
    *(
        Attack(unsolicited.acs, f"to {shire}", lambda shire=shire: link(shire=shire), behind="Nowhere")
        for shire in (
            "https://evil.example/acs",
            f"{factories.ACS_URL}/",
            f"{factories.ACS_URL}?x",
            factories.ACS_URL.upper(),
            quote(factories.ACS_URL, safe=""),
            "javascript:alert(1)",
        )
    ),
)


class Nowhere(Exception):
    """No endpoint was found: there is nothing that the attack could get."""


def judge(attack: Attack) -> object:
    """Where the response would go."""
    arguments = {"partner": factories.sp_entity(), "now": NOW, "answer_bindings": (Binding.POST,), **attack.expected()}
    endpoint, _ = unsolicited.accept(attack.message(), **arguments)
    if endpoint is None:
        raise Nowhere
    return endpoint
