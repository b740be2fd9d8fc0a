"""What an administrator chooses about a connection: how messages travel, which come in, what people are known by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.metadata.entity import IdPRole
from federation.saml.metadata.reading import read_document
from federation.saml.names import Binding
from federation.saml.profiles import artifact_rules
from sp_app.models import IdPConnection
from sp_app.services import connections, identity

REQUEST_BINDINGS: Final = {"redirect": Binding.REDIRECT, "post": Binding.POST, "artifact": Binding.ARTIFACT}
RESPONSE_BINDINGS: Final = {"post": Binding.POST, "artifact": Binding.ARTIFACT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to change; None leaves it as it is. Bindings by the names above."""

    request_binding: str | None = None
    response_binding: str | None = None
    allow_unsolicited: bool | None = None
    identifier: str | None = None


def choose(session: Session, connection: IdPConnection, options: Options, now: datetime) -> bool:
    """Change a connection; False when nothing changed.

    Raises `PolicyRefusal` for a binding that the identity provider's metadata does not offer.
    """
    role = _role(session, connection)
    wanted = options.request_binding
    if wanted is not None and wanted not in requests_by(role):
        raise PolicyRefusal("connection.request_binding", f"{connection.name} takes no requests by {wanted}")
    if options.response_binding is not None and options.response_binding not in responses_by(role):
        raise PolicyRefusal("connection.response_binding", f"{connection.name} has no artifact resolution service")
    if options.identifier is not None and options.identifier not in identity.IDENTIFIERS:
        raise PolicyRefusal("connection.identifier", f"people cannot be known by {options.identifier}")
    changes = {
        name: value
        for name in ("request_binding", "response_binding", "allow_unsolicited", "identifier")
        if (value := getattr(options, name)) not in (None, getattr(connection, name))
    }
    for name, value in changes.items():
        setattr(connection, name, value)
    if changes:
        connection.modified_at = now
    return bool(changes)


def requests_by(role: IdPRole) -> tuple[str, ...]:
    """How an identity provider takes requests."""
    offered = {each.binding for each in role.single_sign_on}
    return tuple(name for name, binding in REQUEST_BINDINGS.items() if binding in offered)


def responses_by(role: IdPRole) -> tuple[str, ...]:
    """How an identity provider can answer."""
    return tuple(RESPONSE_BINDINGS) if artifact_rules.services(role) else ("post",)


def answers_by(role: IdPRole, response_binding: str) -> str:
    """The binding to ask for: by artifact only as long as the metadata says where to resolve them."""
    wanted = RESPONSE_BINDINGS[response_binding]
    return wanted if wanted == Binding.POST or artifact_rules.services(role) else Binding.POST


def described(connection: IdPConnection) -> str:
    """The options in words."""
    welcome = "allowed" if connection.allow_unsolicited else "refused"
    sent, asked = connection.request_binding, connection.response_binding
    known = {"persistent": "persistent NameID"}.get(connection.identifier, connection.identifier)
    return f"requests by {sent}, responses by {asked}, unsolicited ones {welcome}, people known by {known}"


def _role(session: Session, connection: IdPConnection) -> IdPRole:
    for entity in read_document(connections.live_metadata(session, connection).document):
        if entity.entity_id == connection.entity_id and entity.idp is not None:
            return entity.idp
    raise PolicyRefusal("connection.role", f"{connection.name} is no identity provider any more")
