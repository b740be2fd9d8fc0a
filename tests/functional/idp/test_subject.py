"""Requests that say whom they are about (SAML Core 3.4.1): honoured for the person who is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree
from webtest import TestResponse

from federation.saml import certificates, encryption, signature, xml
from federation.saml.bindings import post
from federation.saml.codec import authn_request as codec
from federation.saml.codec.common import ENCRYPTED_ID, NAME_ID, SUBJECT, SUBJECT_CONFIRMATION
from federation.saml.messages import NameID, NameIDPolicy
from federation.saml.metadata.entity import KeyDescriptor
from federation.saml.names import NameIDFormat, StatusCode
from federation.saml.profiles.refusals import StatusRefused
from tests import trees
from tests.factories import key_pair
from tests.idp_factories import FakeSP, IdPSite, fill_in

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


def persistent(idp: IdPSite, sp: FakeSP, username: str) -> NameID:
    """The lasting name of a person at this site."""
    asked = sp.redirect_url(name_id_policy=NameIDPolicy(NameIDFormat.PERSISTENT, allow_create=True))
    name_id = sp.accept(idp.sign_in(username).get(asked), idp.entity).name_id
    assert name_id is not None
    return name_id


def posted(idp: IdPSite, sp: FakeSP, subject: NameID, change: Callable[[etree._Element], object]) -> TestResponse:
    """What becomes of a signed request by HTTP-POST whose Subject is changed, in a browser where alice is signed in."""
    element = xml.lift(codec.write(sp.request(subject=subject)))
    change(element)
    signature.sign(element, key=sp.key)
    form = post.encode(xml.serialise(element), parameter="SAMLRequest", destination=f"{sp.idp_url}/saml/sso")
    page = idp.sign_in("alice").post("/saml/sso", dict(form.fields))
    return page.follow() if page.status_int == 303 else page


def sealed_to(key: KeyDescriptor, octets: bytes | None = None) -> Callable[[etree._Element], None]:
    """Encrypt the NameID of the Subject, or something else in its place."""

    def change(element: etree._Element) -> None:
        name_id = element.find(f"{SUBJECT}/{NAME_ID}")
        assert name_id is not None
        holder = trees.new(ENCRYPTED_ID, {})
        holder.append(xml.lift(encryption.encrypt(octets or xml.lift(name_id), key=key)))
        element[1].replace(name_id, holder)

    return change


def refusal(idp: IdPSite, sp: FakeSP, page: TestResponse) -> tuple[str, str | None]:
    """The status that the site is told."""
    with pytest.raises(StatusRefused) as refused:
        sp.accept(page, idp.entity)
    return refused.value.status.code, refused.value.status.second_level


@pytest.mark.conformance("IIP-SSO07")
def test_the_person_named_is_signed_in_under_that_name_and_nobody_else(idp: IdPSite, intranet: FakeSP) -> None:
    alice = persistent(idp, intranet, "alice")
    for policy in (None, NameIDPolicy(), NameIDPolicy(NameIDFormat.PERSISTENT)):
        page = idp.sign_in("alice").get(intranet.redirect_url(subject=alice, name_id_policy=policy))
        assert intranet.accept(page, idp.entity).name_id == alice
    page = idp.browser().get(intranet.redirect_url(subject=alice)).follow()
    assert intranet.accept(fill_in(page, "alice").follow(), idp.entity).name_id == alice
    page = idp.sign_in("carol").get(intranet.redirect_url(subject=alice))
    assert refusal(idp, intranet, page) == (StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL)


@pytest.mark.conformance("IIP-SSO07")
@pytest.mark.parametrize(
    "name_id", [NameID("nobody"), NameID("alice", "urn:example:format"), NameID("_1", NameIDFormat.TRANSIENT)]
)
def test_a_subject_that_nobody_is_gets_an_answer(idp: IdPSite, intranet: FakeSP, name_id: NameID) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(subject=name_id))
    assert refusal(idp, intranet, page) == (StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL)


@pytest.mark.conformance("IIP-SSO07")
@pytest.mark.parametrize("position", [0, 1])
def test_an_encrypted_subject_is_opened_with_either_of_our_keys(idp: IdPSite, intranet: FakeSP, position: int) -> None:
    alice = persistent(idp, intranet, "alice")
    assert idp.entity.idp is not None
    page = posted(idp, intranet, alice, sealed_to(idp.entity.idp.encryption_keys[position]))
    assert intranet.accept(page, idp.entity).name_id == alice
    other = persistent(idp, intranet, "carol")
    page = posted(idp, intranet, other, sealed_to(idp.entity.idp.encryption_keys[position]))
    assert refusal(idp, intranet, page) == (StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL)


def to_others(idp: IdPSite) -> Callable[[etree._Element], None]:
    others = certificates.load_certificate(key_pair("mallory")[1])
    return sealed_to(KeyDescriptor("encryption", certificates.public_key_of(others)))


def holding_something_else(idp: IdPSite) -> Callable[[etree._Element], None]:
    assert idp.entity.idp is not None
    return sealed_to(idp.entity.idp.encryption_keys[0], b"<x/>")


def empty(idp: IdPSite) -> Callable[[etree._Element], None]:
    def change(element: etree._Element) -> None:
        element[1][0].tag = ENCRYPTED_ID

    return change


@pytest.mark.conformance("IIP-SSO07")
@pytest.mark.parametrize("sealed", [to_others, holding_something_else, empty])
def test_a_subject_that_we_cannot_read_gets_an_answer_that_does_not_say_why(
    idp: IdPSite, intranet: FakeSP, sealed: Callable[[IdPSite], Callable[[etree._Element], None]]
) -> None:
    page = posted(idp, intranet, NameID("alice"), sealed(idp))
    assert refusal(idp, intranet, page) == (StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL)


@pytest.mark.conformance("IIP-SSO07")
@pytest.mark.parametrize("alone", [False, True])
def test_a_subject_to_be_confirmed_in_another_way_is_answered_request_unsupported(
    idp: IdPSite, intranet: FakeSP, alone: bool
) -> None:
    def change(element: etree._Element) -> None:
        if alone:
            element[1].remove(element[1][0])
        etree.SubElement(element[1], SUBJECT_CONFIRMATION, Method=BEARER)

    page = posted(idp, intranet, NameID("alice"), change)
    assert refusal(idp, intranet, page) == (StatusCode.REQUESTER, StatusCode.REQUEST_UNSUPPORTED)
