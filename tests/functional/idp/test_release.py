"""What an assertion tells, end to end: by whom, by category, by what is asked for, in which form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from federation.attributes.catalogue import requested_attribute
from federation.attributes.identifiers import is_subject_identifier
from federation.attributes.presets import ANONYMOUS, PERSONALIZED, PSEUDONYMOUS
from federation.saml import encryption, xml
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.messages import NameIDPolicy
from federation.saml.metadata.entity import AttributeConsumingService, Entity
from federation.saml.metadata.selection import ENTITY_CATEGORY
from federation.saml.names import SAML, SUBJECT_ID_REQ, XSI, NameFormat, NameIDFormat
from federation.saml.profiles.sso_response import AcceptedResponse
from tests.idp_factories import FakeSP, IdPSite, sent

A = f"{{{SAML}}}"


class TwoServices(FakeSP):
    """A site with two services, each of which asks for something else."""

    def entity(self) -> Entity:
        whole = super().entity()
        assert whole.sp is not None
        services = tuple(
            AttributeConsumingService(
                index,
                index == 4,
                (("en", key),),
                (requested_attribute(key, required=True), requested_attribute("groups")),
            )
            for index, key in ((4, "mail"), (7, "department"))
        )
        return replace(whole, sp=replace(whole.sp, attribute_consuming=services))


def told(idp: IdPSite, sp: FakeSP, person: str = "alice", **request: Any) -> AcceptedResponse:
    browser = idp.sign_in(person)
    return sp.accept(browser.get(sp.redirect_url(idp.clock(), **request)), idp.entity, idp.clock())


def names(accepted: AcceptedResponse) -> set[str | None]:
    return {attribute.friendly_name for attribute in accepted.attributes}


@pytest.mark.conformance("IIP-IDP04")
def test_the_index_in_the_request_chooses_what_is_asked_for(idp: IdPSite) -> None:
    sp = idp.connect(TwoServices())
    assert names(told(idp, sp)) >= {"mail"}
    assert "ou" not in names(told(idp, sp))
    by_index = names(told(idp, sp, attribute_consuming_service_index=7))
    assert "ou" in by_index
    assert "mail" not in by_index


@pytest.mark.conformance("IIP-IDP03")
def test_an_entity_category_releases_and_several_access_categories_are_not_united(idp: IdPSite) -> None:
    def with_categories(*categories: str) -> FakeSP:
        attributes = {ENTITY_CATEGORY: categories, SUBJECT_ID_REQ: ("any",)}
        return idp.connect(FakeSP(options={"entity_attributes": attributes}, asks_for=()), release="refeds-access")

    assert names(told(idp, with_categories(PERSONALIZED))) >= {"subject-id", "displayName", "mail"}
    assert names(told(idp, with_categories(PSEUDONYMOUS, PERSONALIZED))) == {"pairwise-id", "schacHomeOrganization"}
    assert names(told(idp, with_categories(ANONYMOUS, PERSONALIZED))) == {"schacHomeOrganization"}
    assert names(told(idp, with_categories("urn:x:another"))) == set()


@pytest.mark.conformance("SDP-IDP13", "SDP-IDP15", "SDP-IDP16")
@pytest.mark.parametrize(
    ("signal", "expected"), [("subject-id", {"subject-id"}), ("pairwise-id", {"pairwise-id"}), ("none", set())]
)
def test_the_site_is_told_the_identifier_that_its_metadata_asks_for(
    idp: IdPSite, signal: str, expected: set[str]
) -> None:
    sp = idp.connect(FakeSP(options={"subject_identifier": signal}))
    accepted = told(idp, sp)
    assert names(accepted) & {"subject-id", "pairwise-id"} == expected
    for attribute in accepted.attributes:
        if attribute.friendly_name in expected:
            assert is_subject_identifier(attribute.values[0])
            assert attribute.values[0].endswith(f"@{idp.installation.settings.scope}")


def test_a_subject_id_is_the_same_at_every_site_and_a_pairwise_id_is_not(idp: IdPSite) -> None:
    def identifier(signal: str, origin: str) -> str:
        sp = idp.connect(FakeSP(name=origin[-4:], origin=origin, options={"subject_identifier": signal}))
        [attribute] = [each for each in told(idp, sp).attributes if each.friendly_name == signal]
        return attribute.values[0]

    sites = ("http://localhost:6544", "http://localhost:6545")
    assert len({identifier("subject-id", site) for site in sites}) == 1
    assert len({identifier("pairwise-id", site) for site in sites}) == 2


@pytest.mark.conformance("SDP-IDP14")
def test_scopes_are_published_and_none_is_an_expression(idp: IdPSite) -> None:
    document = idp.browser().get("/saml/metadata")
    scopes = list(xml.parse(document.body).iter("{urn:mace:shibboleth:metadata:1.0}Scope"))
    assert [scope.text for scope in scopes] == [idp.installation.settings.scope]
    assert all(scope.get("regexp", "false") == "false" for scope in scopes)


@pytest.mark.conformance("SDP-IDP10", "SDP-IDP18", "SDP-IDP19", "SDP-IDP20", "IIP-IDP01")
def test_the_form_of_an_assertion(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(idp.clock()))
    response = xml.parse(sent(page).xml)
    [wrapper] = response.iter(ENCRYPTED_ASSERTION)
    assertion = encryption.decrypt(wrapper, [intranet.decryption_key])
    assert len(response.findall(f"{A}Assertion")) == 0
    assert len(assertion.findall(f"{A}AuthnStatement")) == 1
    [statement] = assertion.findall(f"{A}AttributeStatement")
    for attribute in statement:
        assert attribute.tag == f"{A}Attribute"
        assert attribute.get("NameFormat") == NameFormat.URI
        for value in attribute:
            assert len(value) == 0
            assert value.text
            assert value.get(f"{{{XSI}}}type") is None
    [groups] = [each for each in statement if each.get("FriendlyName") == "isMemberOf"]
    assert len(groups) == len({value.text for value in groups}) > 1


@pytest.mark.conformance("IIP-IDP21", "IIP-SSO05")
def test_persistent_names_are_opaque_pairwise_and_never_differ_by_letter_case_alone(idp: IdPSite) -> None:
    sites = [
        idp.connect(FakeSP(name=name, origin=origin))
        for name, origin in (("One", "http://localhost:6544"), ("Two", "http://localhost:6545"))
    ]
    values = []
    for sp in (*sites, sites[0]):
        name_id = told(idp, sp, name_id_policy=NameIDPolicy(NameIDFormat.PERSISTENT, allow_create=True)).name_id
        assert name_id is not None
        assert (name_id.name_qualifier, name_id.sp_name_qualifier) == (idp.entity.entity_id, sp.entity_id)
        assert name_id.value == name_id.value.lower()
        assert len(name_id.value) <= 256
        assert "alice" not in name_id.value
        values.append(name_id.value)
    assert values[0] == values[2] != values[1]
