"""What is done to a service provider, each wrong in just the way that one named rule of its services looks for.

As in `catalogue_idp`, a message here is a deed: a function of one site and one session of its database, of which
nothing is kept. Who somebody is (`identity`) is read from an assertion alone.
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

from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import soap
from federation.saml.identifiers import new_id
from federation.saml.messages import Attribute, LogoutRequest, NameID
from federation.saml.names import Binding, NameIDFormat
from federation.saml.profiles import artifact, logout
from sp_app.models import SignOut
from sp_app.services import artifacts, identity, logout_partner, sign_out
from sp_app.services import logout as logouts
from sp_app.services.sessions import digest
from tests import factories
from tests.attacks.catalogue import Attack
from tests.attacks.catalogue_idp import posted
from tests.factories import signing_key
from tests.sp_factories import ALICE, BOB, NOW, FakeIdP, Site, attribute, make_site

OTHER = "https://other-idp.example.org/saml/metadata"
STRANGER = "https://stranger.example.org/saml/metadata"
HANDLE = "a handle"
OURS = "_our-request"


@dataclass(frozen=True)
class Scene:
    """Where a deed is done."""

    site: Site
    session: Session

    def of_the_service(self) -> dict[str, Any]:
        """What both use cases of signing out are made with."""
        return {
            "session": self.session,
            "partners": self.site.provider.partners,
            "ourselves": self.site.provider.ourselves,
            "now": self.site.clock(),
            "skew": self.site.provider.limits.skew,
        }


Deed = Callable[[Scene], object]


@cache
def site() -> Site:
    """A service provider that is connected to two identity providers."""
    made = make_site(Path(mkdtemp(prefix="attacks-sp-")))
    made.connect(FakeIdP(made.clock, OTHER, "https://other-idp.example.org/saml/sso", "Other", key="other-sp"))
    return made


def attack(rule: Any, name: str, deed: Deed, behind: str | None = None) -> Attack:
    """A deed that breaks a rule."""
    return Attack(rule, name, lambda: deed, behind=behind)


def asked_to_sign_out(scene: Scene, issuer: str | None = None, request_id: str = "_request") -> object:
    """An identity provider asks to sign somebody out."""
    request = LogoutRequest(
        id=request_id,
        issuer=issuer or scene.site.idp.entity_id,
        issue_instant=NOW,
        destination=scene.site.provider.ourselves.slo_url,
        name_id=NameID("_alice", NameIDFormat.TRANSIENT),
    )
    received = posted(logout.send(request, binding=Binding.POST, key=signing_key(scene.site.idp.key)))
    return logouts.Logout(**scene.of_the_service()).arrive(received)


def asked_twice(scene: Scene) -> object:
    asked_to_sign_out(scene)
    return asked_to_sign_out(scene)


def answered(
    scene: Scene,
    *,
    idp: str | None = None,
    by: str | None = None,
    key: str = "idp",
    relay_state: str | None = HANDLE,
    expires: timedelta = sign_out.WINDOW,
    times: int = 1,
) -> object:
    """Somebody signs out: `idp` is asked, and then `by` answers."""
    usual = scene.site.idp.entity_id
    scene.session.add(
        SignOut(
            handle_hash=digest(HANDLE),
            idp_entity_id=idp or usual,
            began_at=NOW,
            expires_at=NOW + expires,
            request_id=OURS,
        )
    )
    scene.session.flush()
    response = logout.build_response(
        id=new_id(),
        issuer=by or usual,
        destination=scene.site.provider.ourselves.slo_url,
        in_response_to=OURS,
        status=logout.SUCCESS,
        now=NOW,
    )
    form = logout.send(response, binding=Binding.POST, key=signing_key(key), relay_state=relay_state)
    for _ in range(times - 1):
        sign_out.SigningOut(**scene.of_the_service()).finish(posted(form))
    return sign_out.SigningOut(**scene.of_the_service()).finish(posted(form))


def asked_for_a_message(scene: Scene) -> object:
    """A stranger wants the message behind an artifact."""
    provider = scene.site.provider
    url = "https://intranet.example.org/saml/artifact"
    question = artifact.resolve(
        id=new_id(),
        issuer=STRANGER,
        destination=url,
        artifact=artifact_binding.create(provider.entity_id, endpoint_index=0),
        now=NOW,
        key=signing_key("mallory"),
    )
    return artifacts.hand_out(
        scene.session,
        soap.decode(question),
        provider.partners,
        issuer=provider.entity_id,
        url=url,
        key=provider.keys.signing,
        skew=provider.limits.skew,
        now=NOW,
    )


def known_as(
    *told: Attribute, kind: str = identity.PAIRWISE_ID, name_id: NameID | None = None, required: tuple[str, ...] = ()
) -> Deed:
    """An assertion says who somebody is."""

    def read(scene: Scene) -> object:
        accepted = factories.accept_response(factories.signed_response())
        assertion = replace(accepted.assertion, name_id=name_id, attributes=told)
        accepted = replace(accepted, assertion=assertion)
        return identity.read(accepted, idp=scoped(), kind=kind, required=required)

    return read


def scoped() -> Any:
    """The identity provider, which may speak for example.org."""
    entity = factories.idp_entity()
    assert entity.idp is not None
    return replace(entity, idp=replace(entity.idp, scopes=("example.org",)))


ALICES = attribute("pairwise_id", ALICE)

ATTACKS = (
    attack(
        logout_partner.is_connected,
        "a logout by a stranger",
        partial(asked_to_sign_out, issuer=STRANGER),
        behind="AssertionError",
    ),
    attack(logouts.request_is_new, "a logout that was captured and is sent again", asked_twice),
    attack(
        sign_out.request_known,
        "an identity provider answers what another one was asked",
        partial(answered, by=OTHER, key="other-sp"),
    ),
    attack(
        sign_out.relay_state_returned,
        "an answer in the browser of somebody else who signs out",
        partial(answered, relay_state="another handle"),
    ),
    attack(
        sign_out.answered_in_time,
        "an answer that comes when nobody waits any more",
        partial(answered, expires=timedelta(seconds=-1)),
    ),
    attack(
        logout_partner.is_connected,
        "an answer of an identity provider that was disconnected meanwhile",
        partial(answered, idp=STRANGER, by=STRANGER, key="mallory"),
        behind="AssertionError",
    ),
    attack(
        sign_out.answered_once,
        "an answer that was captured and is sent again",
        partial(answered, relay_state=None, times=2),
    ),
    attack(
        artifacts.partner_is_connected,
        "a request for a message by a stranger",
        asked_for_a_message,
        behind="AssertionError",
    ),
    attack(identity.check_one_identifier, "two people at once", known_as(attribute("pairwise_id", ALICE, BOB))),
    attack(
        identity.check_persistent,
        "a name that is somebody else's tomorrow, to be linked to",
        known_as(kind=identity.PERSISTENT, name_id=NameID("_t", NameIDFormat.TRANSIENT)),
    ),
    attack(
        identity.check_form,
        "an identifier that could be written in two ways",
        known_as(attribute("pairwise_id", "alice archer@example.org")),
    ),
    attack(
        identity.check_scope,
        "a person of another organisation",
        known_as(attribute("pairwise_id", ALICE.replace("example.org", "other.example"))),
    ),
    attack(identity.check_required, "nothing of what the site needs", known_as(ALICES, required=("mail",))),
)


def judge(attack: Attack) -> object:
    """Let the site decide; nothing of it is kept."""
    deed: Deed = attack.message()
    with Session(site().provider.engine) as session:
        return deed(Scene(site(), session))
