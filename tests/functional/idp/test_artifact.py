"""Responses by HTTP-Artifact: the browser carries a reference, and the partner it is for fetches the message, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp, TestResponse

from federation.errors import Refused
from federation.saml.bindings import artifact as binding
from federation.saml.bindings import soap
from federation.saml.bindings.artifact import Artifact
from federation.saml.identifiers import new_id
from federation.saml.messages import Received
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import artifact, sso_request, sso_response
from federation.saml.profiles.artifact_rules import ArtifactExpectations
from federation.saml.profiles.refusals import StatusRefused
from idp_app.models import HeldMessage
from idp_app.services import housekeeping
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite

BOTH = {"acs_bindings": (Binding.POST, Binding.ARTIFACT)}


@pytest.fixture
def archive(idp: IdPSite) -> FakeSP:
    """Takes responses by POST and by artifact; serves Staff."""
    return idp.connect(FakeSP("Archive", "http://localhost:6546", key_name="archive", options=BOTH))


def by_artifact(idp: IdPSite, sp: FakeSP, browser: TestApp, **more: Any) -> tuple[TestResponse, Artifact, str | None]:
    """Ask for an answer by artifact, and what the browser carries back."""
    answer = browser.get(sp.redirect_url(idp.clock(), protocol_binding=Binding.ARTIFACT, **more))
    form = answer.forms["message"]
    assert form.action == sp.acs_url
    return answer, *binding.decode_form(form.submit_fields())


def envelope(idp: IdPSite, sp: FakeSP, made: Artifact, **more: Any) -> tuple[str, bytes]:
    """A signed question for the message, and its ID."""
    arguments: dict[str, Any] = {
        "id": new_id(),
        "issuer": sp.entity_id,
        "destination": idp.installation.settings.artifact_url,
        "artifact": made,
        "now": idp.clock(),
        "key": sp.key,
    }
    arguments |= more
    return arguments["id"], artifact.resolve(**arguments)


def ask(idp: IdPSite, content: bytes, *, media_type: str = "text/xml; charset=utf-8") -> TestResponse:
    return idp.browser().post("/saml/artifact", content, content_type=media_type, expect_errors=True)


def expectations(idp: IdPSite, request_id: str) -> ArtifactExpectations:
    role = idp.entity.idp
    assert role is not None
    return ArtifactExpectations(partner=idp.entity, role=role, now=idp.clock(), request_id=request_id)


def fetch(idp: IdPSite, sp: FakeSP, made: Artifact, **more: Any) -> Received:
    """The message, as the partner gets it. Raises `Refused`: `artifact.message` where none came."""
    request_id, content = envelope(idp, sp, made, **more)
    answer = ask(idp, content)
    assert answer.status_int == 200
    return artifact.accept_response(soap.decode(answer.body), expectations(idp, request_id)).received


def nothing(idp: IdPSite, sp: FakeSP, made: Artifact) -> bool:
    with pytest.raises(Refused) as caught:
        fetch(idp, sp, made)
    return caught.value.rule == "artifact.message"


def test_a_response_is_fetched_and_is_the_one_that_a_form_would_have_carried(idp: IdPSite, archive: FakeSP) -> None:
    answer, made, relay_state = by_artifact(idp, archive, idp.sign_in("alice"))

    assert relay_state == "relay"
    assert "no-store" in answer.headers["Cache-Control"]
    assert made.source_id == binding.source_id(idp.installation.settings.own_entity_id)
    received = fetch(idp, archive, made)
    accepted = sso_response.accept(
        received,
        sso_response.ResponseExpectations(
            sp_entity_id=archive.entity_id,
            acs_url=archive.acs_url,
            idp=idp.entity,
            request_id=sso_response.in_response_to_of(received),
            now=idp.clock(),
            decryption_keys=(archive.decryption_key,),
        ),
    )
    assert "Alice Archer" in [value for each in accepted.attributes for value in each.values]
    assert [entry.kind for entry in idp.audit()][-2:] == ["sso.issued", "artifact.resolved"]


def test_an_index_or_a_default_of_the_metadata_asks_for_an_artifact_too(idp: IdPSite, archive: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = archive.request(idp.clock())._replace(
        assertion_consumer_service_url=None,
        protocol_binding=None,
        assertion_consumer_service_index=2,
    )
    url = sso_request.send(request, binding=Binding.REDIRECT, key=archive.key)
    assert isinstance(url, str)
    assert "SAMLart" in browser.get(url.removeprefix(archive.idp_url)).forms["message"].fields
    only = replace(archive, origin="http://localhost:6547", name="Only", options={"acs_bindings": (Binding.ARTIFACT,)})
    idp.connect(only)
    bare = only.request(idp.clock())._replace(assertion_consumer_service_url=None, protocol_binding=None)
    url = sso_request.send(bare, binding=Binding.REDIRECT, key=only.key)
    assert isinstance(url, str)
    assert "SAMLart" in browser.get(url.removeprefix(only.idp_url)).forms["message"].fields


def test_without_asking_for_it_the_same_partner_is_answered_by_its_first_binding(idp: IdPSite, archive: FakeSP) -> None:
    page = idp.sign_in("alice").get(archive.redirect_url(idp.clock()))
    assert page.forms["message"].action == archive.acs_url


def test_an_error_travels_by_artifact_as_well(idp: IdPSite, archive: FakeSP) -> None:
    _, made, _ = by_artifact(idp, archive, idp.browser(), is_passive=True)
    received = fetch(idp, archive, made)
    with pytest.raises(StatusRefused) as caught:
        sso_response.accept(
            received,
            sso_response.ResponseExpectations(
                sp_entity_id=archive.entity_id,
                acs_url=archive.acs_url,
                idp=idp.entity,
                request_id=sso_response.in_response_to_of(received),
                now=idp.clock(),
            ),
        )
    assert caught.value.status.second_level == StatusCode.NO_PASSIVE


def test_unknown_used_expired_and_foreign_artifacts_all_bring_the_same_answer(
    idp: IdPSite, archive: FakeSP, intranet: FakeSP
) -> None:
    browser = idp.sign_in("alice")
    _, made, _ = by_artifact(idp, archive, browser)
    assert nothing(idp, intranet, made), "another partner's"
    fetch(idp, archive, made)
    assert nothing(idp, archive, made), "used"
    assert nothing(idp, archive, binding.create(idp.entity.entity_id, endpoint_index=0)), "unknown"
    assert nothing(idp, archive, binding.create(archive.entity_id, endpoint_index=7)), "never ours"
    assert nothing(idp, archive, replace(made, text="nonsense")), "not an artifact at all"
    _, late, _ = by_artifact(idp, archive, browser)
    idp.clock.advance(minutes=5)
    assert nothing(idp, archive, late), "expired"
    kinds = [entry.kind for entry in idp.audit()]
    assert (kinds.count("artifact.nothing"), kinds.count("artifact.resolved")) == (6, 1)


def test_a_partner_that_asks_for_anothers_artifact_does_not_spoil_it(
    idp: IdPSite, archive: FakeSP, intranet: FakeSP
) -> None:
    _, made, _ = by_artifact(idp, archive, idp.sign_in("alice"))
    assert nothing(idp, intranet, made)
    assert fetch(idp, archive, made)


def test_of_several_who_ask_at_the_same_moment_one_gets_the_message(idp: IdPSite, archive: FakeSP) -> None:
    _, made, _ = by_artifact(idp, archive, idp.sign_in("alice"))
    questions = [envelope(idp, archive, made) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: ask(idp, each[1]), questions))
    assert [answer.status_int for answer in answers] == [200] * 6
    assert sum(b"EncryptedAssertion" in answer.body for answer in answers) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"key": "idp"}, 403),
        ({"issuer": "http://localhost:1/saml/metadata"}, 403),
        ({"destination": "http://localhost:6543/saml/slo"}, 403),
    ],
    ids=["another's key", "not connected", "for another address"],
)
def test_a_question_that_proves_nothing_gets_a_fault_and_spoils_nothing(
    idp: IdPSite, archive: FakeSP, changes: dict[str, Any], status: int
) -> None:
    _, made, _ = by_artifact(idp, archive, idp.sign_in("alice"))
    if "key" in changes:
        changes = {"key": signing_key(changes["key"])}
    answer = ask(idp, envelope(idp, archive, made, **changes)[1])
    assert answer.status_int == status
    assert answer.content_type == "text/xml"
    assert b"Fault" in answer.body
    kept = str(idp.audit()[-1].messages)
    assert "ArtifactResolve" in kept, "the story under the reference number shows what was asked"
    assert made.text not in kept
    assert idp.audit()[-1].kind == "refused.artifact"
    assert idp.audit()[-1].reference in answer.text
    assert fetch(idp, archive, made)


@pytest.mark.parametrize("content", [b"", b"<x/>", b"\x00", b"<!DOCTYPE x><x/>"])
def test_what_is_no_envelope_gets_a_fault(idp: IdPSite, content: bytes) -> None:
    answer = ask(idp, content)
    assert (answer.status_int, answer.content_type) == (400, "text/xml")


def test_what_waits_is_sealed_and_goes_when_its_time_is_over(idp: IdPSite, archive: FakeSP) -> None:
    by_artifact(idp, archive, idp.sign_in("alice"))
    with idp.work() as session:
        [held] = session.scalars(select(HeldMessage)).all()
        assert "Response" not in held.message.text
    idp.clock.advance(minutes=6)
    with idp.work() as session:
        gone = housekeeping.purge(session, now=idp.clock(), settings=idp.installation.settings)
    assert gone["artifacts"] == 1
    assert idp.count(HeldMessage) == 0


def test_a_partner_that_could_not_prove_who_it_is_is_not_sent_artifacts(idp: IdPSite) -> None:
    keyless = FakeSP(
        "Keyless",
        "http://localhost:6548",
        options={**BOTH, "signing_certificates": [], "authn_requests_signed": False},
    )
    idp.connect(keyless)
    url = sso_request.send(
        keyless.request(idp.clock(), protocol_binding=Binding.ARTIFACT), binding=Binding.REDIRECT, key=None
    )
    assert isinstance(url, str)
    page = idp.sign_in("alice").get(url.removeprefix(keyless.idp_url), expect_errors=True)
    assert page.status_int == 400
    assert "request.acs" in str(idp.audit()[-1].detail)


def test_the_metadata_says_where_artifacts_are_resolved(idp: IdPSite) -> None:
    assert idp.entity.idp is not None
    url = idp.installation.settings.artifact_url
    assert idp.entity.idp.artifact_resolution == (Endpoint(Binding.SOAP, url, index=0, is_default=True),)
