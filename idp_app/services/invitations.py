"""Connect by invitation: making one, what the invited site does with it, and both sides' consent.

create            a link that is good once, for a while; its secret is kept as a hash alone
propose, upload   the invited site says who it is: software of ours by its server, other software by its administrator
confirm, agree    either side's administrator has seen the other's name and key; with both, the connection is made
void              the administrator takes it back

Nothing but the invitation itself exists before both have confirmed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy
from federation.errors import PolicyRefusal
from federation.registry.invitation import Link, Proposal, Standing, agreement_is_by
from federation.saml.checks import Seen, rule, run
from federation.saml.metadata import fingerprints
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document
from federation.saml.metadata.trust import TrustedMetadata, Unconfirmed, verify
from idp_app.errors import InvalidInput, NotThere
from idp_app.installation import Installation
from idp_app.models import Audience, Connection, ConnectionState, Invitation
from idp_app.options import NO_OPTIONS
from idp_app.services import audit, connections
from idp_app.services.act import Act
from idp_app.services.readiness import Readiness
from idp_app.services.texts import clean, key
from idp_app.settings import IdPSettings

LIFETIME: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=30)
_TOKEN_OCTETS: Final = 32
_LONGEST_TOKEN: Final = 100

OPEN: Final = "open"
PROPOSED: Final = "waiting for you"
AGREED: Final = "waiting for them"
CONNECTED: Final = "connected"
EXPIRED: Final = "expired"
VOID: Final = "void"


def state(invitation: Invitation, now: datetime) -> str:
    """How far an invitation is, in a word."""
    if invitation.connection_id is not None or (invitation.agreed and invitation.partner_agreed):
        return CONNECTED
    if invitation.voided is not None:
        return VOID
    if invitation.expires <= now:
        return EXPIRED
    if invitation.proposed is None:
        return OPEN
    return AGREED if invitation.agreed is not None else PROPOSED


def every(session: Session) -> Sequence[Invitation]:
    """All invitations, the newest first."""
    return session.scalars(select(Invitation).order_by(Invitation.created.desc(), Invitation.id)).all()


def get(session: Session, invitation_id: str) -> Invitation:
    """The invitation with an id. Raises `NotThere`."""
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotThere("invitation", invitation_id)
    return invitation


def find(session: Session, name: str) -> Invitation:
    """The newest invitation for a name, letter case aside, or with an id. Raises `NotThere`."""
    for invitation in every(session):
        if key(invitation.name) == key(name) or invitation.id == name:
            return invitation
    raise NotThere("invitation", name)


def by_token(session: Session, token: str) -> Invitation:
    """The invitation that a link opens, whatever its state. Raises `PolicyRefusal` for one that never was."""
    invitation = None
    if len(token) <= _LONGEST_TOKEN:
        # By its digest: what a comparison in the database may tell about time says nothing about the token.
        invitation = session.scalars(select(Invitation).where(Invitation.token_hash == _hash(token))).one_or_none()
    if invitation is None:
        raise PolicyRefusal("invitation.unknown", "there is no such invitation")
    return invitation


def address(settings: IdPSettings, token: str) -> str:
    """The address of an invitation."""
    return f"{settings.public_url}/connect/{token}"


def create(
    session: Session,
    act: Act,
    installation: Installation,
    *,
    name: str,
    audiences: Sequence[Audience],
    release: str,
    lifetime: timedelta = LIFETIME,
) -> tuple[Invitation, Link]:
    """Make an invitation; answers the link too, which can be read this once.

    Raises `InvalidInput` for a name that a connection has or a lifetime out of bounds, `ConfigurationError` for a
    preset that does not exist.
    """
    name = clean("name", name, required=True)
    _require_free(session, name)
    if not timedelta(minutes=5) <= lifetime <= LONGEST:
        raise InvalidInput("lifetime", f"must be between five minutes and {LONGEST.days} days")
    ReleasePolicy.from_preset(release)
    token = secrets.token_urlsafe(_TOKEN_OCTETS)
    invitation = Invitation(
        token_hash=_hash(token),
        name=name,
        audiences=[audience.id for audience in audiences],
        release=release,
        created=act.now,
        created_by=act.actor,
        expires=act.now + lifetime,
    )
    session.add(invitation)
    session.flush()
    _record(session, "created", invitation, act)
    return invitation, Link(address(installation.settings, token), installation.keys.fingerprint)


def void(session: Session, invitation: Invitation, act: Act) -> bool:
    """Take an invitation back; False when it was over already. Raises `PolicyRefusal` when it has led to a connection.

    The link opens nothing from now on.
    """
    current = state(invitation, act.now)
    if current == CONNECTED:
        raise PolicyRefusal("invitation.used", "this invitation was used: disconnect the connection instead")
    if current == VOID:
        return False
    invitation.voided = act.now
    _record(session, "voided", invitation, act)
    return True


def require_usable(invitation: Invitation, now: datetime) -> None:
    """Raise `PolicyRefusal` for an invitation that is void, or over before both have confirmed."""
    current = state(invitation, now)
    if current == VOID:
        raise PolicyRefusal("invitation.void", "this invitation was taken back by the administrator who made it")
    if current == EXPIRED:
        raise PolicyRefusal("invitation.expired", "this invitation has expired")


@rule("invitation.signature", "Connect by invitation")
def signed_by_the_site(genuine: bool) -> Seen:
    """What is said about an invitation is signed by a key of the site that says it."""
    return (genuine, "signed by the key that the metadata names", "so" if genuine else "not signed, or by another's")


@rule("invitation.metadata_signature", "Connect by invitation")
def metadata_is_its_own(own: bool) -> Seen:
    """Nobody proposes somebody else's metadata: the key that signed it is one that it names."""
    return own, "metadata signed by the site's own key", "so" if own else "not signed, or by another's"


def propose(
    session: Session, invitation: Invitation, proposal: Proposal, act: Act, installation: Installation, *, address: str
) -> None:
    """A site with software of ours says who it is.

    The same site may say so again, after an answer that was lost, until somebody has confirmed. Raises `PolicyRefusal`
    for an invitation that cannot be used (any more) or a site that is connected, `Refused` and `Malformed` for metadata
    that cannot be used or is not the sender's own, `InvalidInput` for its addresses.
    """
    require_usable(invitation, act.now)
    own_again = invitation.document is not None and not invitation.agreed and not invitation.partner_agreed
    found = _look_at(proposal.document, act, installation.settings)
    if invitation.proposed is not None and not (own_again and found.entity.entity_id == invitation.entity_id):
        raise PolicyRefusal("invitation.used", "this invitation was used already")
    role = found.entity.sp
    keys = () if role is None else role.signing_keys
    run((signed_by_the_site,), (), proposal.is_by(keys, address))
    signer = found.fingerprints[0]
    own = signer.use == fingerprints.METADATA_SIGNATURE and signer.value in {fingerprints.of_key(each) for each in keys}
    run((metadata_is_its_own,), (), own)
    if invitation.proposed is not None and invitation.fingerprint != signer.value:
        raise PolicyRefusal("invitation.used", "this invitation was used already")
    for field, url in (("SCIM address", proposal.scim_url), ("token address", proposal.token_url)):
        connections.require_address(field, url, installation.settings)
    _take(session, invitation, found, proposal.document, act, installation.ready)
    invitation.scim_url, invitation.token_url = proposal.scim_url, proposal.token_url
    _record(session, "proposed", invitation, act, fingerprint=invitation.fingerprint)


def upload(session: Session, invitation: Invitation, document: bytes, act: Act, installation: Installation) -> None:
    """The administrator of other software brings its metadata, and thereby agrees.

    Raises `PolicyRefusal`, `Refused` and `Malformed` as `propose` does.
    """
    require_usable(invitation, act.now)
    if invitation.proposed is not None:
        raise PolicyRefusal("invitation.used", "this invitation was used already")
    found = _look_at(document, act, installation.settings)
    _take(session, invitation, found, document, act, installation.ready)
    invitation.partner_agreed = act.now
    _record(session, "proposed", invitation, act, fingerprint=invitation.fingerprint)


def agree(
    session: Session, invitation: Invitation, signature: bytes, act: Act, installation: Installation, *, address: str
) -> None:
    """The other side's administrator has confirmed; its server says so, signed. Raises `PolicyRefusal`, `Refused`."""
    require_usable(invitation, act.now)
    if invitation.document is None or invitation.entity_id is None:
        raise PolicyRefusal("invitation.order", "the site has to say who it is first")
    role = _entity(invitation).sp
    keys = () if role is None else role.signing_keys
    run((signed_by_the_site,), (), agreement_is_by(keys, address, invitation.entity_id, signature))
    if invitation.partner_agreed is None:
        invitation.partner_agreed = act.now
        _record(session, "agreed", invitation, act)
        _connect_if_both(session, invitation, act, installation)


def confirm(session: Session, invitation: Invitation, act: Act, installation: Installation) -> Connection | None:
    """Our administrator has seen the site's name and key; answers the connection if the other side has confirmed too.

    Raises `PolicyRefusal`, also when nobody has taken the invitation up.
    """
    require_usable(invitation, act.now)
    if invitation.document is None:
        raise PolicyRefusal("invitation.order", "nobody has taken up this invitation yet: there is nothing to confirm")
    if invitation.agreed is None:
        invitation.agreed, invitation.agreed_by = act.now, act.actor
        _record(session, "confirmed", invitation, act, fingerprint=invitation.fingerprint)
        return _connect_if_both(session, invitation, act, installation)
    return None if invitation.connection_id is None else connections.get(session, invitation.connection_id)


def standing(invitation: Invitation, settings: IdPSettings) -> Standing:
    """What the other side's server is told."""
    return Standing(
        settings.site_name,
        proposed=invitation.proposed is not None,
        they_agreed=invitation.agreed is not None,
        you_agreed=invitation.partner_agreed is not None,
    )


def _connect_if_both(
    session: Session, invitation: Invitation, act: Act, installation: Installation
) -> Connection | None:
    if invitation.agreed is None or invitation.partner_agreed is None:
        return None
    assert invitation.document is not None, "somebody has proposed it"
    assert invitation.fingerprint is not None, "set together"
    _require_unconnected(session, str(invitation.entity_id))
    found = session.scalars(select(Audience).where(Audience.id.in_(invitation.audiences))).all()
    trusted = _confirmed(invitation.document, invitation.fingerprint, act, installation.settings)
    connection, _ = connections.connect(
        session,
        trusted,
        Act(act.now, invitation.agreed_by or act.actor, act.reference),
        name=invitation.name,
        audiences=list(found),
        policy=ReleasePolicy.from_preset(invitation.release),
        pins=[invitation.fingerprint],
        ready=installation.ready,
    )
    if invitation.scim_url is not None and invitation.token_url is not None:
        connections.set_provisioning_by_assertion(
            session, connection, invitation.scim_url, invitation.token_url, act, settings=installation.settings
        )
    session.flush()
    invitation.connection_id = connection.id
    return connection


def _take(
    session: Session, invitation: Invitation, found: Unconfirmed, document: bytes, act: Act, ready: Readiness
) -> None:
    entity = found.entity
    _require_unconnected(session, entity.entity_id)
    _require_free(session, invitation.name, entity.entity_id)
    ready.require(entity, NO_OPTIONS)
    invitation.document, invitation.entity_id, invitation.proposed = document, entity.entity_id, act.now
    invitation.display_name = entity.display_name()[:256]
    invitation.fingerprint = found.fingerprints[0].value


def _look_at(document: bytes, act: Act, settings: IdPSettings) -> Unconfirmed:
    """The document as it would be trusted if its fingerprints were confirmed. Raises `Refused`, `Malformed`."""
    try:
        _verified(document, (), act, settings)
    except Unconfirmed as unconfirmed:
        return unconfirmed
    raise AssertionError("nothing was confirmed, so nothing can be trusted")


def _confirmed(document: bytes, fingerprint: str, act: Act, settings: IdPSettings) -> TrustedMetadata:
    return _verified(document, (fingerprint,), act, settings)


def _verified(document: bytes, confirmed: Sequence[str], act: Act, settings: IdPSettings) -> TrustedMetadata:
    return verify(
        document,
        now=act.now,
        own_entity_id=settings.own_entity_id,
        role="sp",
        confirmed_key_fingerprints=confirmed,
        max_validity=settings.partner_metadata_validity,
        skew=settings.clock_skew,
        allow_http_loopback=settings.allow_http_loopback,
    )


def _entity(invitation: Invitation) -> Entity:
    assert invitation.document is not None, "somebody has proposed it"
    [entity] = [each for each in read_document(invitation.document) if each.entity_id == invitation.entity_id]
    return entity


def _require_unconnected(session: Session, entity_id: str) -> None:
    """An invitation makes a connection and never changes one."""
    known = session.scalars(select(Connection).where(Connection.entity_id == entity_id)).one_or_none()
    if known is not None and known.state is not ConnectionState.DISCONNECTED:
        raise PolicyRefusal("invitation.connected", "this site is connected here already")


def _require_free(session: Session, name: str, entity_id: str | None = None) -> None:
    namesake = session.scalars(select(Connection).where(Connection.name_key == key(name))).one_or_none()
    over = namesake is not None and namesake.state is ConnectionState.DISCONNECTED
    if namesake is not None and namesake.entity_id != entity_id and not (entity_id is None and over):
        raise InvalidInput("name", f"{name!r} is the name of the connection to {namesake.entity_id}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _record(session: Session, what: str, invitation: Invitation, act: Act, **detail: object) -> None:
    told = {"invitation": invitation.name, **detail}
    audit.record(session, f"invitation.{what}", act, entity_id=invitation.entity_id, detail=told)
