"""What one partner needs differently: presets, algorithms of its own, names; and what that costs is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from webtest import TestApp, TestResponse

from federation.errors import ConfigurationError, PolicyRefusal, Refused
from federation.saml import xml
from federation.saml.algorithms import PRESETS, allowed
from federation.saml.messages import NameIDPolicy
from federation.saml.metadata.entity import EncryptionMethod, Entity, SigningMethod
from federation.saml.names import DS, SAML, XENC, Algorithm, NameFormat, NameIDFormat
from federation.saml.profiles.refusals import StatusRefused
from federation.saml.profiles.sso_response import AcceptedResponse
from idp_app.options import Options
from idp_app.services import connections
from tests.idp_factories import FakeSP, IdPSite, sent

A = f"{{{SAML}}}"


class PickySP(FakeSP):
    """A site whose metadata lists algorithms."""

    def entity(self) -> Entity:
        whole, lists = super().entity(), dict(LISTS[self.name])
        assert whole.sp is not None
        methods = lists.pop("encryption")
        keys = tuple(
            replace(key, encryption_methods=methods) if key.use == "encryption" else key for key in whole.sp.keys
        )
        return replace(whole, sp=replace(whole.sp, keys=keys, **lists))


LISTS: dict[str, dict[str, Any]] = {
    "Picky": {
        "signing_methods": (SigningMethod("urn:unknown"), SigningMethod(Algorithm.RSA_SHA512)),
        "digest_algorithms": (Algorithm.SHA384, Algorithm.SHA256),
        "encryption": (
            EncryptionMethod(Algorithm.AES128_GCM),
            EncryptionMethod(Algorithm.RSA_OAEP, (Algorithm.SHA1,), (Algorithm.MGF1_SHA256,)),
        ),
    },
    "Old": {
        "signing_methods": (SigningMethod(Algorithm.RSA_SHA1),),
        "digest_algorithms": (Algorithm.SHA1,),
        "encryption": (EncryptionMethod(Algorithm.AES128_CBC), EncryptionMethod(Algorithm.RSA_1_5)),
    },
    "Old cipher": {"encryption": (EncryptionMethod(Algorithm.AES256_CBC),)},
}
EVERYTHING = allowed(tuple(PRESETS))


def sign_in(idp: IdPSite, sp: FakeSP, **request: Any) -> TestResponse:
    browser = idp.sign_in("alice")
    return browser.get(sp.redirect_url(idp.clock(), **request))


def accepted(idp: IdPSite, sp: FakeSP, **request: Any) -> AcceptedResponse:
    return sp.accept(sign_in(idp, sp, **request), idp.entity, idp.clock(), algorithms=EVERYTHING)


def document(page: TestResponse) -> etree._Element:
    return xml.parse(sent(page).xml)


def algorithms(element: etree._Element) -> list[str]:
    """Every algorithm in a message, from the signature outside to the key transport inside."""
    tags = (f"{{{DS}}}SignatureMethod", f"{{{DS}}}DigestMethod", f"{{{XENC}}}EncryptionMethod")
    return [str(found.get("Algorithm")) for found in element.iter(*tags)]


# Algorithms -----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-MD10", "SDP-ALG01")
def test_every_answer_uses_what_the_partner_lists(idp: IdPSite) -> None:
    sp = idp.connect(PickySP("Picky", "http://localhost:6547"))
    used = algorithms(document(sign_in(idp, sp)))
    assert used[:2] == [Algorithm.RSA_SHA512, Algorithm.SHA384]
    assert used[2:] == [Algorithm.AES128_GCM, Algorithm.RSA_OAEP, Algorithm.SHA1]
    assert accepted(idp, sp).name_id is not None
    error = idp.browser().get(sp.redirect_url(idp.clock(), is_passive=True))
    assert algorithms(document(error)) == [Algorithm.RSA_SHA512, Algorithm.SHA384]


@pytest.mark.conformance("IIP-MD10")
def test_a_partner_that_leaves_nothing_is_refused_when_it_is_connected_with_the_presets_that_help(idp: IdPSite) -> None:
    for sp, presets, needed in (
        (PickySP("Old", "http://localhost:6547"), (), Algorithm.RSA_SHA1),
        (PickySP("Old", "http://localhost:6547"), ("legacy-sha1",), Algorithm.RSA_1_5),
        (PickySP("Old cipher", "http://localhost:6548"), (), "The preset legacy-cbc or plain would allow it"),
    ):
        with pytest.raises(PolicyRefusal) as caught:
            idp.connect(sp, presets=presets)
        assert needed in caught.value.message
    with pytest.raises(ConfigurationError):
        idp.connect(FakeSP(), presets=["modern"])


@pytest.mark.conformance("IIP-ALG05", "IIP-ALG08")
def test_a_legacy_preset_serves_an_old_partner_and_says_what_it_costs(idp: IdPSite) -> None:
    legacy = ["legacy-cbc", "legacy-rsa15", "legacy-sha1"]
    sp = idp.connect(PickySP("Old", "http://localhost:6547"), presets=legacy)
    used = algorithms(document(sign_in(idp, sp)))
    assert used == [Algorithm.RSA_SHA1, Algorithm.SHA1, Algorithm.AES128_CBC, Algorithm.RSA_1_5]
    assert accepted(idp, sp).name_id is not None
    with pytest.raises(Refused):
        sp.accept(sign_in(idp, sp), idp.entity, idp.clock())
    told = [miss["rule"] for miss in connections.misses(idp.connection("Old"))]
    assert told[:3] == [f"preset.{name}" for name in legacy]
    page = idp.sign_in("admin").get(f"/admin/connections/{idp.connection('Old').id}")
    for name in legacy:
        assert PRESETS[name].weakness in page.text


def test_a_ban_that_comes_later_ends_in_a_page_with_a_reference(idp: IdPSite) -> None:
    from idp_app.services.live import Partners

    sp = idp.connect(PickySP("Picky", "http://localhost:6547"))
    object.__setattr__(idp.installation, "partners", Partners([Algorithm.RSA_SHA512]))
    page = idp.sign_in("alice").get(sp.redirect_url(idp.clock()), status=403)
    assert "accepts none of the algorithms" in page.text
    assert "eference" in page.text
    assert idp.audit()[-1].detail["rule"] == "algorithms.signature"


# What is signed, encrypted, named -------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-SSO04")
@pytest.mark.parametrize(
    ("option", "response", "assertion"), [("response", 1, 0), ("assertion", 0, 1), ("both", 1, 1), ("auto", 1, 0)]
)
def test_what_is_signed_is_chosen(idp: IdPSite, option: str, response: int, assertion: int) -> None:
    sp = idp.connect(FakeSP(encrypts=False), chosen=[f"sign={option}"])
    element = document(sign_in(idp, sp))
    assert len(element.findall(f"{{{DS}}}Signature")) == response
    assert len(element.findall(f"{A}Assertion/{{{DS}}}Signature")) == assertion


@pytest.mark.conformance("IIP-IDP09")
def test_parts_may_be_encrypted_instead_and_the_preset_plain_encrypts_nothing(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(), chosen=["encrypt=name-id,attributes"])
    element = document(sign_in(idp, sp))
    assert element.find(f"{A}EncryptedAssertion") is None
    assert element.find(f"{A}Assertion/{A}Subject/{A}EncryptedID") is not None
    assert element.find(f"{A}Assertion/{A}AttributeStatement/{A}Attribute") is None
    assert accepted(idp, sp).attributes
    idp.connect(FakeSP(), presets=["plain"])
    element = document(sign_in(idp, sp))
    assert element.find(f"{A}Assertion/{A}Subject/{A}NameID") is not None
    assert "preset.plain" in [miss["rule"] for miss in connections.misses(idp.connection("Intranet"))]


@pytest.mark.conformance("IIP-IDP11")
def test_the_name_id_is_left_out_where_that_is_chosen_and_no_request_insists(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(), chosen=["name-id=none"])
    assert accepted(idp, sp).name_id is None
    insisting = accepted(idp, sp, name_id_policy=NameIDPolicy(NameIDFormat.TRANSIENT))
    assert insisting.name_id is not None


@pytest.mark.parametrize(
    ("option", "name_id_format"),
    [
        ("transient", NameIDFormat.TRANSIENT),
        ("persistent", NameIDFormat.PERSISTENT),
        ("emailAddress", NameIDFormat.EMAIL),
        ("unspecified", NameIDFormat.UNSPECIFIED),
    ],
)
def test_the_format_of_the_name_id_is_chosen_and_leaves_only_with_its_attribute(
    idp: IdPSite, option: str, name_id_format: str
) -> None:
    sp = idp.connect(FakeSP(), release="account", chosen=[f"name-id={option}"])
    name_id = accepted(idp, sp).name_id
    assert name_id is not None
    assert name_id.format == name_id_format
    if option == "unspecified":
        assert name_id.value == "alice"
    if option != "transient":
        idp.connect(FakeSP(), release="nothing")
        with pytest.raises(StatusRefused):
            accepted(idp, sp)


@pytest.mark.conformance("IIP-IDP01")
def test_attributes_bear_the_names_that_the_partner_knows(idp: IdPSite) -> None:
    names = [
        "attribute:mail=EmailAddress",
        "attribute:display_name=urn:x:name unspecified",
        "attribute:groups=roles urn:y",
    ]
    sp = idp.connect(FakeSP(), chosen=names)
    told = {(each.name, each.name_format) for each in accepted(idp, sp).attributes}
    assert ("EmailAddress", NameFormat.BASIC) in told
    assert ("urn:x:name", NameFormat.UNSPECIFIED) in told
    assert not [name for name, _ in told if name == "urn:oid:0.9.2342.19200300.100.1.3"]


# Choosing -------------------------------------------------------------------------------------------------------------


def test_what_is_not_given_stays_when_the_partner_is_brought_up_to_date(idp: IdPSite) -> None:
    idp.connect(FakeSP(), presets=["legacy-cbc"], chosen=["sign=both"])
    idp.connect(FakeSP(), chosen=["name-id=persistent"])
    assert idp.connection("Intranet").options == {"presets": ["legacy-cbc"], "sign": "both", "name_id": "persistent"}
    idp.connect(FakeSP(), presets=["default"])
    assert idp.connection("Intranet").options == {"sign": "both", "name_id": "persistent"}


def test_the_console_chooses_and_the_costs_are_shown(idp: IdPSite, intranet: FakeSP) -> None:
    admin: TestApp = idp.sign_in("admin")
    address = f"/admin/connections/{idp.connection('Intranet').id}"
    form = next(form for form in admin.get(address).forms.values() if "Save options" in form.text)
    form["sign"], form["name_id"] = "assertion", "persistent"
    form.set("preset", True, index=0)
    page = form.submit("action", value="options").follow()
    assert "The options are saved." in page.text
    assert "responses are not signed" in page.text
    assert idp.connection("Intranet").options == {
        "presets": ["legacy-cbc"],
        "sign": "assertion",
        "name_id": "persistent",
    }


@pytest.mark.parametrize(
    "wrong", ["sign", "sign=never", "name-id=x", "encrypt=", "attribute:nothing=x", "colour=red", "attribute=x"]
)
def test_an_option_that_does_not_exist_is_said(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        Options().changed((), [wrong])


def test_options_survive_the_database() -> None:
    options = Options().changed(
        ["plain"], ["sign=both", "name-id=none", "encrypt=attributes,name-id", "logout=soap", "attribute:mail=email"]
    )
    assert Options.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert options.in_words() == [
        "preset plain",
        "sign=both",
        "name-id=none",
        "encrypt=name-id,attributes",
        "logout=soap",
        "attribute:mail=email urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
    ]
    assert options.changed((), ["attribute:mail="]).attribute_names == ()
