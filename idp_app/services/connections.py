"""Connections: connecting a service provider, and everything an administrator changes about one.

Nothing but `connect` here, and a refresh by the rule of its source (`federation.registry`), changes whom we trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy
from federation.errors import PolicyRefusal
from federation.registry import versions
from federation.registry.columns import SourceColumns
from federation.registry.host import Occasion
from federation.saml.checks import Check
from federation.saml.metadata import fingerprints
from federation.saml.metadata.locations import is_secure
from federation.saml.metadata.reading import read_document
from federation.saml.metadata.trust import TrustedMetadata, verify
from federation.storage.secrets import SecretBox
from idp_app.errors import InvalidInput, NotThere
from idp_app.models import Audience, Connection, ConnectionState, Trust
from idp_app.models.base import new_uuid
from idp_app.options import Options
from idp_app.services import audit, metadata, outbox
from idp_app.services.act import Act
from idp_app.services.live import live
from idp_app.services.readiness import Readiness
from idp_app.services.texts import clean, key
from idp_app.settings import IdPSettings

_TOKEN_LIMIT: Final = 4096


def every(session: Session) -> Sequence[Connection]:
    """All connections that were not ended, by name."""
    return session.scalars(
        select(Connection).where(Connection.state != ConnectionState.DISCONNECTED).order_by(Connection.name_key)
    ).all()


def ended(session: Session) -> Sequence[Connection]:
    """The connections that are over, the newest end first: they are there for their history."""
    over = select(Connection).where(Connection.state == ConnectionState.DISCONNECTED)
    return session.scalars(over.order_by(Connection.modified.desc())).all()


def find(session: Session, name: str) -> Connection:
    """The connection with a name (letter case aside) or an entityID. Raises `NotThere`."""
    connection = session.scalars(
        select(Connection).where(or_(Connection.name_key == key(name), Connection.entity_id == name))
    ).first()
    if connection is None:
        raise NotThere("connection", name)
    return connection


def get(session: Session, connection_id: str) -> Connection:
    """The connection with an id. Raises `NotThere`."""
    connection = session.get(Connection, connection_id)
    if connection is None:
        raise NotThere("connection", connection_id)
    return connection


def examine(
    session: Session,
    document: bytes,
    act: Act,
    *,
    settings: IdPSettings,
    signer_fingerprints: Sequence[str] = (),
    confirmed_fingerprints: Sequence[str] = (),
) -> TrustedMetadata:
    """Decide whether a service provider's metadata may be used. Changes nothing.

    A partner that was trusted by a signature stays so: without new fingerprints from a person, its next document must
    be signed by the kept signer, or an unsigned copy with another endpoint would pass for an update.

    Raises what `metadata.trust.verify` raises; `Unconfirmed` carries the fingerprints that a person has to compare.
    """
    if not signer_fingerprints and not confirmed_fingerprints:
        signer_fingerprints = _kept_signers(session, document)
    return verify(
        document,
        now=act.now,
        own_entity_id=settings.own_entity_id,
        role="sp",
        signer_fingerprints=signer_fingerprints,
        confirmed_key_fingerprints=confirmed_fingerprints,
        max_validity=settings.partner_metadata_validity,
        skew=settings.clock_skew,
        allow_http_loopback=settings.allow_http_loopback,
        algorithms=settings.algorithms(),
    )


def _kept_signers(session: Session, document: bytes) -> Sequence[str]:
    """The pins of the connection that a document is about, where it is trusted by a signature.

    One that was ended vouches for nothing: whom an administrator trusts again, they confirm again.
    """
    entity_ids = [entity.entity_id for entity in read_document(document)]
    known = session.scalars(
        select(Connection).where(Connection.entity_id.in_(entity_ids), Connection.state != ConnectionState.DISCONNECTED)
    ).first()
    return known.trust_fingerprints if known is not None and known.trust is Trust.SIGNED else ()


def connect(
    session: Session,
    trusted: TrustedMetadata,
    act: Act,
    *,
    name: str,
    audiences: Sequence[Audience],
    policy: ReleasePolicy,
    pins: Sequence[str],
    ready: Readiness,
    presets: Sequence[str] = (),
    options: Sequence[str] = (),
    chosen: Options | None = None,
    source: SourceColumns | None = None,
) -> tuple[Connection, bool]:
    """Make the connection, or bring one to the same entity up to date; answer it and whether it is new.

    `pins` are the fingerprints that the trust rests on, `presets` and `options` as `Options.changed` reads them,
    unless all options are `chosen`. `source` is the federation's source that it is taken from, and follows from now on.
    A connection that was ended comes back to life. Raises `InvalidInput` for a name that another connection has,
    `ConfigurationError` for an option that does not exist, and what `ready` raises when nothing could be sent.
    """
    name = clean("name", name, required=True)
    namesake = session.scalars(select(Connection).where(Connection.name_key == key(name))).one_or_none()
    entity_id = trusted.entity.entity_id
    if namesake is not None and namesake.entity_id != entity_id:
        raise InvalidInput("name", f"{name!r} is the name of the connection to {namesake.entity_id}")
    connection = session.scalars(select(Connection).where(Connection.entity_id == entity_id)).one_or_none()
    is_new = connection is None
    if connection is None:
        connection = Connection(id=new_uuid(), entity_id=entity_id, version=0, created=act.now)
        session.add(connection)
    connection.name, connection.name_key = name, key(name)
    connection.state, connection.ending, connection.ending_accounts = ConnectionState.ACTIVE, None, None
    connection.release_policy = policy.to_json()
    chosen = chosen or Options.from_json(connection.options or {}).changed(presets, options)
    ready.require(trusted.entity, chosen)
    connection.options = chosen.to_json()
    connection.audiences = list(audiences)
    trust = Trust.SIGNED if trusted.signed else Trust.CONFIRMED
    vouched = list(pins) or [each.value for each in fingerprints.of_entity(trusted.entity)]
    if is_new:
        # Before it has a version: the columns of the row, which has to be there first.
        connection.metadata_version, connection.metadata_xml, connection.misses = 0, trusted.document, []
        connection.trust, connection.trust_fingerprints = trust, vouched
        connection.trusted_at, connection.trusted_by, connection.modified = act.now, act.actor, act.now
    versions.adopt(
        session,
        metadata.HOST,
        connection,
        trusted,
        ground=metadata.GROUNDS[trust],
        fingerprints=vouched,
        origin="a file" if source is None else f"source {source.name}",
        source_id=None if source is None else source.id,
        occasion=Occasion(act.now, act.actor, act.reference),
    )
    changed(session, connection, act, "connection.connected", checks=trusted.checks)
    return connection, is_new


def set_audiences(session: Session, connection: Connection, audiences: Sequence[Audience], act: Act) -> bool:
    """Choose whom the connection may serve; False when nothing changed."""
    if {audience.id for audience in audiences} == {audience.id for audience in connection.audiences}:
        return False
    connection.audiences = list(audiences)
    changed(session, connection, act, "connection.audiences", names=[audience.name for audience in audiences])
    return True


def set_policy(session: Session, connection: Connection, policy: ReleasePolicy, act: Act) -> bool:
    """Choose what the connection is told; False when nothing changed."""
    if connection.release_policy == policy.to_json():
        return False
    connection.release_policy = policy.to_json()
    changed(session, connection, act, "connection.policy", preset=policy.preset)
    return True


def set_options(session: Session, connection: Connection, options: Options, act: Act, ready: Readiness) -> bool:
    """Choose how the connection is spoken to; False when nothing changed. Raises what `ready` raises."""
    if connection.options == options.to_json():
        return False
    ready.require(live(connection).entity, options)
    connection.options = options.to_json()
    changed(session, connection, act, "connection.options", options=options.in_words())
    return True


def misses(connection: Connection) -> list[dict[str, Any]]:
    """What an administrator should know: the cost of the connection's options, then what its metadata lacks."""
    return [*Options.from_json(connection.options).weaknesses, *connection.misses]


def set_provisioning(
    session: Session, connection: Connection, url: str, token: str, act: Act, *, box: SecretBox, settings: IdPSettings
) -> None:
    """Say where accounts are provisioned, and with which bearer token. Raises `InvalidInput`."""
    url = require_address("SCIM address", url, settings)
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token or len(token) > _TOKEN_LIMIT:
        raise InvalidInput("SCIM token", "must be one word of printable ASCII characters")
    connection.provisioning_url = url
    connection.provisioning_token = box.encrypt(token, context=token_context(connection))
    connection.provisioning_token_url = None
    changed(session, connection, act, "connection.provisioning", url=url)


def set_provisioning_by_assertion(
    session: Session, connection: Connection, url: str, token_url: str, act: Act, *, settings: IdPSettings
) -> None:
    """Say where accounts are provisioned, with tokens got by an assertion at `token_url`. Raises `InvalidInput`."""
    connection.provisioning_url = require_address("SCIM address", url, settings)
    connection.provisioning_token_url = require_address("token address", token_url, settings)
    connection.provisioning_token = None
    changed(session, connection, act, "connection.provisioning", url=connection.provisioning_url)


def require_address(field: str, url: str, settings: IdPSettings) -> str:
    """An address of a partner's server, without a slash at the end. Raises `InvalidInput`."""
    url = clean(field, url, required=True, limit=2048).rstrip("/")
    parts = urlsplit(url)
    if parts.query or parts.fragment or not is_secure(url, allow_http_loopback=settings.allow_http_loopback):
        raise InvalidInput(field, "must be an https address without a query")
    return url


def token_context(connection: Connection) -> str:
    """What a connection's sealed token is bound to."""
    return f"connection:{connection.id}:provisioning_token"


def pause(session: Session, connection: Connection, act: Act) -> bool:
    """Stop serving the connection for a while: no assertion, no provisioning; False when it was paused."""
    return _set_state(session, connection, ConnectionState.PAUSED, act)


def resume(session: Session, connection: Connection, act: Act) -> bool:
    """Serve a paused connection again; False when it was active."""
    return _set_state(session, connection, ConnectionState.ACTIVE, act)


def _set_state(session: Session, connection: Connection, state: ConnectionState, act: Act) -> bool:
    if connection.state == state:
        return False
    if connection.state.over:
        done = "was disconnected" if connection.state is ConnectionState.DISCONNECTED else "is being disconnected"
        raise PolicyRefusal("connection.disconnected", f"{connection.name} {done}: connect it again")
    connection.state = state
    changed(session, connection, act, f"connection.{state.value}")
    return True


def changed(
    session: Session, connection: Connection, act: Act, cause: str, *, checks: Sequence[Check] = (), **detail: Any
) -> None:
    """Every change of a connection comes through here: web workers parse it again, provisioning plans it again."""
    connection.version += 1
    connection.modified = act.now
    detail = {"connection": connection.name, **detail}
    audit.record(session, cause, act, entity_id=connection.entity_id, checks=checks, detail=detail)
    outbox.record(session, cause=cause, now=act.now, connection_id=connection.id)
