"""A message fetched for an artifact comes from the partner that was asked, and is then judged like any other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from federation.errors import Malformed, Refused
from federation.saml import signature, xml
from federation.saml.bindings import artifact as binding
from federation.saml.bindings import soap
from federation.saml.codec import artifact as codec
from federation.saml.messages import ArtifactResolve, ArtifactResponse, NameID, Received, Status
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, KeyDescriptor, SPRole
from federation.saml.names import AuthnContextClass, Binding, NameIDFormat, StatusCode
from federation.saml.profiles import artifact, sso_response
from federation.saml.profiles.artifact import ArtifactExpectations
from tests.factories import ACS_URL, IDP, NOW, REQUEST_ID, SP, signing_key

ARS = "https://idp.example.org/saml/artifact"
ARTIFACT = binding.create(IDP, endpoint_index=0)
SP_ROLE = SPRole(keys=(KeyDescriptor("signing", signing_key("sp").public_key),))
IDP_ROLE = IdPRole(keys=(KeyDescriptor("signing", signing_key("idp").public_key),))
AT_IDP = ArtifactExpectations(partner=Entity(SP, sp=SP_ROLE), role=SP_ROLE, now=NOW, destination=ARS)
IDP_ENTITY = Entity(IDP, idp=IDP_ROLE)
AT_SP = ArtifactExpectations(partner=IDP_ENTITY, role=IDP_ROLE, now=NOW, request_id="_r1")


def question(key: str = "sp") -> Received:
    return soap.decode(
        artifact.resolve(id="_r1", issuer=SP, destination=ARS, artifact=ARTIFACT, now=NOW, key=signing_key(key))
    )


def response() -> bytes:
    return sso_response.build(
        response_id="_p1",
        assertion_id="_n1",
        issuer=IDP,
        acs=Endpoint(Binding.ARTIFACT, ACS_URL),
        in_response_to=REQUEST_ID,
        audience=SP,
        name_id=NameID("_t1", NameIDFormat.TRANSIENT),
        attributes=(),
        authn_instant=NOW,
        session_index="_s1",
        authn_context_class_ref=AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT,
        now=NOW,
        signing_key=signing_key("idp"),
        sign_assertion=True,
    ).octets


def answer(message: bytes | None, *, key: str = "idp", **changes: str) -> Received:
    values = {"id": "_x1", "issuer": IDP, "in_response_to": "_r1"} | changes
    return soap.decode(artifact.hand_out(**values, message=message, now=NOW, key=signing_key(key)))


def refused(rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.rule == rule


def test_an_sp_asks_and_is_known_by_its_signature() -> None:
    received = question()
    assert artifact.issuer_of(received) == SP
    assert binding.parse(artifact.accept_resolve(received, AT_IDP).request.artifact) == ARTIFACT


def test_a_signed_response_inside_a_signed_answer_is_accepted_by_its_own_profile() -> None:
    resolved = artifact.accept_response(answer(response()), AT_SP, relay_state="r1")
    assert (resolved.received.binding, resolved.received.relay_state) == (Binding.ARTIFACT, "r1")
    accepted = sso_response.accept(
        resolved.received,
        sso_response.ResponseExpectations(
            sp_entity_id=SP, acs_url=ACS_URL, idp=IDP_ENTITY, now=NOW, request_id=REQUEST_ID
        ),
    )
    assert accepted.assertion.id == "_n1"


def test_an_unknown_used_or_foreign_artifact_brings_nothing() -> None:
    refused("artifact.message", lambda: artifact.accept_response(answer(None), AT_SP))


@pytest.mark.parametrize(
    ("received", "rule"),
    [
        (lambda: answer(response(), key="sp"), "signature.value"),
        (lambda: answer(response(), issuer="https://evil.test"), "artifact.issuer"),
        (lambda: answer(response(), in_response_to="_other"), "artifact.in_response_to"),
        (question, "artifact.root"),
        (lambda: answer(response())._replace(binding=Binding.POST), "artifact.binding"),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused_for_it(received: Callable[[], Received], rule: str) -> None:
    refused(rule, lambda: artifact.accept_response(received(), AT_SP))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"issuer": "https://evil.test"}, "artifact.issuer"),
        ({"destination": "https://elsewhere.test"}, "artifact.destination"),
        ({"issue_instant": NOW - timedelta(hours=1)}, "artifact.issue_instant"),
    ],
)
def test_a_question_that_breaks_a_rule_is_refused_for_it(changes: dict[str, object], rule: str) -> None:
    request = replace(ArtifactResolve("_r1", SP, NOW, ARTIFACT.text, ARS), **changes)  # type: ignore[arg-type]
    element = xml.lift(codec.write_resolve(request))
    signature.sign(element, key=signing_key("sp"))
    received = Received(Binding.SOAP, "SAMLRequest", xml.serialise(element))
    refused(rule, lambda: artifact.accept_resolve(received, AT_IDP))


def test_nothing_unsigned_or_signed_by_others_is_believed() -> None:
    refused("signature.value", lambda: artifact.accept_resolve(question("idp"), AT_IDP))
    bare = xml.lift(codec.write_resolve(ArtifactResolve("_r1", SP, NOW, ARTIFACT.text, ARS)))
    received = Received(Binding.SOAP, "SAMLRequest", xml.serialise(bare))
    refused("artifact.signed", lambda: artifact.accept_resolve(received, AT_IDP))


def test_an_error_status_is_refused_and_a_question_without_issuer_malformed() -> None:
    element = xml.lift(codec.write_response(ArtifactResponse("_x1", IDP, NOW, Status(StatusCode.REQUESTER), "_r1")))
    signature.sign(element, key=signing_key("idp"))
    received = Received(Binding.SOAP, "SAMLResponse", xml.serialise(element))
    refused("artifact.status", lambda: artifact.accept_response(received, AT_SP))
    with pytest.raises(Malformed):
        artifact.issuer_of(answer(None))
