from dataclasses import replace
from datetime import timedelta

import pytest

from federation.saml.metadata.difference import Effect, difference
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    Contact,
    EncryptionMethod,
    Endpoint,
    KeyDescriptor,
    RequestedAttribute,
    SigningMethod,
)
from federation.saml.names import Binding
from tests.metadata_factories import CONTACTS, NOW, certificate_of, fingerprint_of, idp_entity, rsa_key, sp_entity

WIDENS, REDUCES, NEUTRAL = Effect.WIDENS, Effect.REDUCES, Effect.NEUTRAL


def sp(**changes):
    entity = sp_entity()
    return replace(entity, sp=replace(entity.sp, **changes))


def idp(**changes):
    entity = idp_entity()
    return replace(entity, idp=replace(entity.idp, **changes))


def key(name, use="signing", methods=()):
    return KeyDescriptor(use, rsa_key(name).public_key, certificate_of(name), methods)


def kinds(old, new):
    return [(change.kind, change.effect) for change in difference(old, new)]


def test_the_same_meaning_is_no_difference():
    assert difference(sp_entity(), sp_entity()) == ()
    reordered = sp(signing_methods=tuple(reversed(sp_entity().sp.signing_methods)))
    assert difference(sp_entity(), reordered) == ()


def test_a_new_key_widens_and_a_withdrawn_one_reduces():
    one, two = sp(keys=(key("sp"),)), sp(keys=(key("sp"), key("next")))
    assert kinds(one, two) == [("key.added", WIDENS)]
    assert kinds(two, one) == [("key.removed", REDUCES)]
    (change,) = difference(one, two)
    assert fingerprint_of("next") in change.sentence
    assert change.role == "SP"


def test_naming_a_use_takes_the_other_use_away():
    both, signing = sp(keys=(key("sp", None),)), sp(keys=(key("sp", "signing"),))
    (change,) = difference(both, signing)
    assert (change.kind, change.effect) == ("key.removed", REDUCES)
    assert change.sentence.endswith("for encryption.")


def test_a_new_certificate_around_the_same_key_is_no_difference():
    renewed = replace(key("sp"), certificate=None)
    assert difference(sp(keys=(key("sp"),)), sp(keys=(renewed,))) == ()


def test_endpoints_are_compared_by_binding_and_location():
    def acs(*locations):
        return sp(assertion_consumer=tuple(Endpoint(Binding.POST, location) for location in locations))

    assert kinds(acs("https://a/"), acs("https://a/", "https://b/")) == [("endpoint.acs.added", WIDENS)]
    assert kinds(acs("https://a/", "https://b/"), acs("https://a/")) == [("endpoint.acs.removed", REDUCES)]
    assert kinds(acs("https://a/", "https://b/"), acs("https://b/", "https://a/")) == [("endpoint.acs.order", NEUTRAL)]
    (change,) = difference(acs(), acs("https://a/"))
    assert change.sentence == "The SP has the new assertion consumer endpoint https://a/ (POST)."


def test_a_response_location_is_part_of_an_endpoint():
    old = idp(single_logout=(Endpoint(Binding.REDIRECT, "https://a/"),))
    new = idp(single_logout=(Endpoint(Binding.REDIRECT, "https://a/", "https://b/"),))
    assert kinds(old, new) == [("endpoint.logout.removed", REDUCES), ("endpoint.logout.added", WIDENS)]


def test_asking_for_more_widens():
    def asking(*requested):
        return sp(attribute_consuming=(AttributeConsumingService(1, True, (), requested),))

    mail, staff = RequestedAttribute("urn:mail", friendly_name="mail"), RequestedAttribute("urn:g", values=("staff",))
    assert kinds(asking(mail), asking(mail, staff)) == [("requested.added", WIDENS)]
    assert kinds(asking(mail, staff), asking(mail)) == [("requested.removed", REDUCES)]
    anything = RequestedAttribute("urn:g")
    assert kinds(asking(staff), asking(anything)) == [("requested.removed", REDUCES), ("requested.added", WIDENS)]
    (change,) = difference(asking(), asking(mail))
    assert change.subject == "mail (urn:mail)"


def test_scopes_categories_and_algorithms_widen_when_they_join():
    assert kinds(idp(scopes=("a.example",)), idp(scopes=("a.example", "b.example"))) == [("scope.added", WIDENS)]
    old, new = sp_entity(attributes=(("urn:c", ("a",)),)), sp_entity(attributes=(("urn:c", ("a", "b")),))
    assert kinds(old, new) == [("category.added", WIDENS)]
    assert kinds(new, old) == [("category.removed", REDUCES)]
    assert kinds(sp(signing_methods=()), sp(signing_methods=(SigningMethod("urn:a"),))) == [("algorithm.added", WIDENS)]
    assert kinds(sp(keys=(key("sp", None),)), sp(keys=(key("sp", None, (EncryptionMethod("urn:m"),)),))) == [
        ("algorithm.added", WIDENS)
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (NOW, NOW + timedelta(days=1), ("validity.renewed", NEUTRAL)),
        (NOW, NOW - timedelta(days=1), ("validity.shortened", REDUCES)),
        (None, NOW, ("validity.shortened", REDUCES)),
        (NOW, None, ("validity.removed", WIDENS)),
    ],
)
def test_a_shorter_validity_reduces_and_losing_it_widens(old, new, expected):
    assert kinds(sp_entity(valid_until=old), sp_entity(valid_until=new)) == [expected]


def test_no_longer_signing_widens():
    assert kinds(sp(authn_requests_signed=True), sp(authn_requests_signed=False)) == [("signing.dropped", WIDENS)]
    assert kinds(sp(want_assertions_signed=False), sp(want_assertions_signed=True)) == [("signing.demanded", REDUCES)]
    assert kinds(idp(want_authn_requests_signed=True), idp()) == [("signing.dropped", WIDENS)]


def test_a_new_role_widens_with_all_that_it_brings():
    both = replace(sp_entity(), idp=idp_entity().idp)
    added = kinds(sp_entity(), both)
    assert ("role.added", WIDENS) in added
    assert {"key.added", "endpoint.sso.added", "scope.added"} <= {kind for kind, _ in added}
    assert ("role.removed", REDUCES) in kinds(both, sp_entity())


def test_names_contacts_and_texts_are_shown_and_change_no_trust():
    entity = sp_entity()
    info = replace(entity.sp.ui_info, display_names=(("en", "New name"),), descriptions=())
    assert kinds(entity, sp(ui_info=info)) == [("name.changed", NEUTRAL), ("presentation.removed", NEUTRAL)]
    assert kinds(entity, sp_entity(contacts=(*CONTACTS, Contact("support")))) == [("contact.added", NEUTRAL)]
    assert kinds(idp(), idp(error_url=None)) == [("error_url.changed", NEUTRAL)]


def test_another_identifier_or_registrar_widens():
    assert kinds(sp_entity(), sp_entity(entity_id="urn:other")) == [("entity_id.changed", WIDENS)]
    assert kinds(sp_entity(), sp_entity(registration_authority="urn:r")) == [("registration.changed", WIDENS)]


def test_every_change_has_a_sentence():
    everything = difference(sp_entity(), idp_entity(valid_until=NOW))
    assert len({change.kind for change in everything}) > 6
    assert all(change.sentence.endswith(".") and change.subject for change in everything)
