"""What is done to an identity provider, each wrong in just the way that one named rule of its services looks for.

A message here is a deed: a function of one site and one session of its database, of which nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sqlalchemy.orm import Session

from federation.registry.ending import Ending
from federation.registry.invitation import Proposal, agreement, octets
from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import post, redirect, soap
from federation.saml.bindings.post import PostForm
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received
from federation.saml.metadata import publishing
from federation.saml.names import Binding, NameIDFormat
from federation.saml.profiles import artifact, logout, unsolicited
from federation.saml.signature import SigningKey
from idp_app.models import Invitation, LogoutRun, LogoutStep, StepState
from idp_app.services import artifacts, connections, disconnecting, invitations, questions, sso
from idp_app.services.logout import requests, responses
from tests.attacks.catalogue import Attack
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, make_idp

INTRANET = FakeSP()
GONE = FakeSP("Archive", "http://localhost:6546", key_name="archive")
"""A site that was connected once: its metadata and its keys are still known, and still its own."""
LIBRARY = FakeSP("Library", "http://localhost:6547", key_name="other-sp")
"""A site that nobody knows here."""
BROWSER, OTHER_BROWSER = b"a browser", b"another browser"


@dataclass(frozen=True)
class Scene:
    """Where a deed is done."""

    idp: IdPSite
    session: Session

    @property
    def slo_url(self) -> str:
        return self.idp.installation.settings.slo_url


Deed = Callable[[Scene], object]


@cache
def site() -> IdPSite:
    """An identity provider with one connected site, and one that it was connected to."""
    idp = make_idp(Path(mkdtemp(prefix="attacks-idp-")))
    for sp in (INTRANET, GONE):
        idp.connect(sp)
    with idp.work() as session:
        disconnecting.begin(session, connections.find(session, GONE.name), Ending.KEEP, idp.act())
    return idp


def attack(rule: Any, name: str, deed: Deed, behind: str | None = None) -> Attack:
    """A deed that breaks a rule."""
    return Attack(rule, name, lambda: deed, behind=behind)


def posted(form: str | PostForm) -> Received:
    """What arrives by HTTP-POST."""
    assert isinstance(form, PostForm)
    return post.decode(form.fields)


def asked_to_sign_in(scene: Scene, sp: FakeSP, **more: Any) -> sso.Arrival:
    """A request to sign somebody in arrives."""
    received = redirect.decode(sp.redirect_url(scene.idp.clock(), **more).partition("?")[2].encode())
    return sso.arrive(scene.session, received, scene.idp.installation, scene.idp.clock())


def linked_to(scene: Scene, sp: FakeSP) -> sso.Arrival:
    """Somebody follows a link that starts a sign-in at a site."""
    start = unsolicited.parse([("providerId", sp.entity_id)])
    return sso.start(scene.session, start, scene.idp.installation, scene.idp.clock())


def remembered(scene: Scene, arrival: sso.Arrival, *, browser: bytes = BROWSER, digest: bytes | None = None) -> object:
    """The request is taken in by a browser."""
    return questions.remember(
        scene.session,
        arrival.question,
        connection_id=arrival.partner.id,
        digest=digest or arrival.digest,
        browser_hash=browser,
        checks=arrival.checks,
        now=scene.idp.clock(),
        window=timedelta(hours=1),
    )


def brought_elsewhere(scene: Scene) -> object:
    arrival = asked_to_sign_in(scene, INTRANET)
    remembered(scene, arrival)
    return remembered(scene, arrival, browser=OTHER_BROWSER)


def used_again(scene: Scene) -> object:
    first = asked_to_sign_in(scene, INTRANET, id="_again")
    remembered(scene, first)
    return remembered(scene, asked_to_sign_in(scene, INTRANET, id="_again", force_authn=True))


def asked_to_sign_out(scene: Scene, sp: FakeSP, **more: Any) -> requests.Arrival:
    """A request to sign somebody out arrives."""
    request = LogoutRequest(
        id=new_id(),
        issuer=sp.entity_id,
        issue_instant=scene.idp.clock(),
        destination=scene.slo_url,
        name_id=NameID("_f81d", NameIDFormat.TRANSIENT),
    )
    received = posted(logout.send(replace(request, **more), binding=Binding.POST, key=sp.key))
    return requests.arrive(scene.session, received, scene.idp.installation, scene.idp.clock())


def signed_out_twice(scene: Scene) -> object:
    asked_to_sign_out(scene, INTRANET, id="_again")
    return asked_to_sign_out(scene, INTRANET, id="_again")


def our_request(scene: Scene) -> str:
    """A logout that goes on, in which the site was asked; answers the ID of our request."""
    now = scene.idp.clock()
    partner = scene.idp.installation.partners.by_entity_id(scene.session, INTRANET.entity_id)
    assert partner is not None
    times = {"begun": now, "expires": now + timedelta(hours=1)}
    scene.session.add(LogoutRun(key="a run", reference="TEST", by_browser=True, asynchronous=False, **times))
    scene.session.flush()
    step = LogoutStep(
        id=new_id(),
        run_key="a run",
        position=0,
        connection_id=partner.id,
        name_id={"value": "_f81d"},
        session_indexes=[],
        state=StepState.ASKED,
    )
    scene.session.add(step)
    scene.session.flush()
    return step.id


def told(scene: Scene, in_response_to: str | None) -> LogoutRun:
    """The site says that it ended its sessions."""
    response = LogoutResponse(
        id=new_id(),
        issuer=INTRANET.entity_id,
        issue_instant=scene.idp.clock(),
        destination=scene.slo_url,
        in_response_to=in_response_to,
        status=logout.SUCCESS,
    )
    received = posted(logout.send(response, binding=Binding.POST, key=INTRANET.key))
    return responses.arrive(scene.session, received, scene.idp.installation, scene.idp.act())


def told_twice(scene: Scene) -> object:
    ours = our_request(scene)
    told(scene, ours)
    return told(scene, ours)


def asked_for_a_message(scene: Scene, sp: FakeSP) -> bytes:
    """A site wants the message behind an artifact."""
    settings = scene.idp.installation.settings
    question = artifact.resolve(
        id=new_id(),
        issuer=sp.entity_id,
        destination=settings.artifact_url,
        artifact=artifact_binding.create(settings.own_entity_id, endpoint_index=0),
        now=scene.idp.clock(),
        key=sp.key,
    )
    return artifacts.hand_out(scene.session, soap.decode(question), scene.idp.installation, scene.idp.act())


def invited(scene: Scene) -> tuple[Invitation, str]:
    """An open invitation, and its address."""
    invitation, link = invitations.create(
        scene.session,
        scene.idp.act(),
        scene.idp.installation,
        name="Library",
        audiences=[],
        release="nothing",
        lifetime=timedelta(hours=1),
    )
    return invitation, link.address


def proposed(scene: Scene, invitation: Invitation, address: str, by: SigningKey, document: bytes = b"") -> object:
    """Somebody says that he is the library."""
    proposal = Proposal(
        document or LIBRARY.metadata(scene.idp.clock()), f"{LIBRARY.origin}/scim/v2", f"{LIBRARY.origin}/saml/token"
    ).signed(address, by)
    invitations.propose(scene.session, invitation, proposal, scene.idp.act(), scene.idp.installation, address=address)
    return invitation


def proposed_by_another(scene: Scene) -> object:
    return proposed(scene, *invited(scene), by=signing_key("mallory"))


def proposed_with_metadata_signed_by_another(scene: Scene) -> object:
    document = publishing.publish(
        LIBRARY.entity(), signing_key=signing_key("mallory"), document_id=new_id(), now=scene.idp.clock()
    )
    return proposed(scene, *invited(scene), by=LIBRARY.key, document=document)


def agreed_by_another(scene: Scene) -> object:
    invitation, address = invited(scene)
    proposed(scene, invitation, address, LIBRARY.key)
    said = octets(agreement(address, LIBRARY.entity_id, signing_key("mallory"))["signature"])
    invitations.agree(scene.session, invitation, said, scene.idp.act(), scene.idp.installation, address=address)
    return invitation.partner_agreed


ATTACKS = (
    attack(
        sso.partner_is_connected,
        "a request of a site that is not connected any more",
        partial(asked_to_sign_in, sp=GONE),
    ),
    attack(sso.partner_is_connected, "a link to a site that is not connected any more", partial(linked_to, sp=GONE)),
    attack(
        sso.partner_is_connected,
        "a request of a stranger",
        partial(asked_to_sign_in, sp=LIBRARY),
        behind="AssertionError",
    ),
    attack(
        questions.request_is_new,
        "a request captured on its way, in another browser",
        brought_elsewhere,
        behind="request.browser",
    ),
    attack(questions.request_is_new, "another request with the same ID", used_again),
    attack(
        requests.partner_is_connected,
        "a logout by a site that is not connected any more",
        partial(asked_to_sign_out, sp=GONE),
    ),
    attack(requests.request_is_new, "a logout that was captured and is sent again", signed_out_twice),
    attack(
        responses.answers_a_request,
        "an answer to nothing",
        partial(told, in_response_to="_nothing"),
        behind="AssertionError",
    ),
    attack(responses.answer_is_new, "an answer that was captured and is sent again", told_twice),
    attack(
        artifacts.partner_is_connected,
        "a message for a site that is not connected any more",
        partial(asked_for_a_message, sp=GONE),
    ),
    attack(invitations.signed_by_the_site, "an invitation taken up in another's name", proposed_by_another),
    attack(invitations.signed_by_the_site, "an agreement in another's name", agreed_by_another),
    attack(
        invitations.metadata_is_its_own,
        "metadata that somebody else made for the site",
        proposed_with_metadata_signed_by_another,
    ),
)


def judge(attack: Attack) -> object:
    """Let the site decide; nothing of it is kept."""
    deed: Deed = attack.message()
    with Session(site().installation.engine) as session:
        return deed(Scene(site(), session))
