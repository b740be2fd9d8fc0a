"""What stands in a signed answer is judged by its own signature: the back channel vouches for nobody's assertion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from federation.errors import Refused
from federation.saml import signature, xml
from federation.saml.bindings import soap
from federation.saml.messages import ArtifactResponse, Status
from federation.saml.names import SAMLP, Binding, StatusCode
from federation.saml.profiles import artifact, sso_response
from tests import factories, trees
from tests.attacks import deliveries
from tests.factories import IDP, NOW, REQUEST_ID, signing_key


def accept(message: bytes, *, key: str = "idp", change: Callable[[etree._Element], object] | None = None) -> object:
    """What the SP says to a message that comes in an answer of its identity provider."""
    answer = ArtifactResponse("_" + "e" * 32, IDP, NOW, Status(StatusCode.SUCCESS), REQUEST_ID)
    element = trees.artifact_response(answer, xml.parse(message))
    signature.sign(element, key=signing_key(key))
    if change is not None:
        change(element)
    received = soap.decode(soap.encode(xml.serialise(element)))
    resolved = artifact.accept_response(received, deliveries.at_requester())
    return sso_response.accept(resolved.received, factories.expectations())


def refused(rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.rule == rule


def test_the_genuine_one_is_accepted() -> None:
    assert accept(factories.response_xml())
    assert accept(factories.signed_response(sign="assertion"))


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (lambda: factories.signed_response(key=signing_key("mallory")), "signature.value"),
        (lambda: factories.signed_response(inside=factories.envelope(issuer=factories.OTHER_SP)), "response.issuer"),
        (lambda: factories.signed_response(inside=factories.envelope(destination=None)), "response.destination"),
        (lambda: factories.signed_response(inside=factories.envelope(in_response_to="_x")), "response.in_response_to"),
        (
            lambda: factories.signed_response(replace(factories.assertion(), issuer=factories.OTHER_SP)),
            "assertion.issuer",
        ),
    ],
    ids=["another's key", "another's name", "no destination", "another request", "another's assertion"],
)
def test_a_message_that_would_not_be_accepted_by_post_is_not_accepted_here(
    message: Callable[[], bytes], rule: str
) -> None:
    refused(rule, lambda: accept(message()))


def test_the_signature_around_it_covers_a_message_that_has_none_of_its_own() -> None:
    assert accept(factories.signed_response(sign="nothing"))


def test_the_signature_around_it_is_worth_nothing_when_another_partner_was_asked() -> None:
    message = factories.posted(factories.signed_response(sign="nothing"))
    carried = message._replace(binding=Binding.ARTIFACT, covered_by=factories.OTHER_SP)
    refused("assertion.signed", lambda: sso_response.accept(carried, factories.expectations()))


def test_the_answer_itself_has_to_be_of_the_identity_provider_that_was_asked() -> None:
    refused("signature.value", lambda: accept(factories.response_xml(), key="mallory"))


def test_a_message_that_takes_the_place_of_the_signed_one_is_noticed() -> None:
    """The genuine response is kept where it still verifies, and a forged one stands where the reader looks."""
    forged = xml.parse(factories.signed_response(sign="nothing"))

    def beside(root: etree._Element) -> None:
        root.append(forged)

    def parked(root: etree._Element) -> None:
        genuine = root[-1]
        extensions = etree.Element(f"{{{SAMLP}}}Extensions")
        root.insert(2, extensions)
        extensions.append(genuine)
        root.append(forged)

    def swapped(root: etree._Element) -> None:
        root.replace(root[-1], forged)

    for change, rules in (
        (beside, {"signature.digest", "xml.ids", "xml.id"}),
        (parked, {"signature.digest", "xml.ids", "xml.id"}),
        (swapped, {"signature.content"}),
    ):
        with pytest.raises(Refused) as caught:
            accept(factories.signed_response(), change=change)
        assert caught.value.rule in rules, caught.value.rule
