"""The tables of the service provider. All names begin with `sp_`, so they may share a database with a host's own."""

from sp_app.models.account import Account
from sp_app.models.audit import AuditEntry
from sp_app.models.base import Base
from sp_app.models.connection import IdPConnection
from sp_app.models.form import KeptForm
from sp_app.models.invitation import AcceptedInvitation
from sp_app.models.link import Link, identifier_key
from sp_app.models.login import HeldRequest, PendingChoice, PendingRequest, ReplayEntry
from sp_app.models.logout import RememberedLogout, SignOut
from sp_app.models.metadata import MetadataAbsence, MetadataEntity, MetadataPart, MetadataSource, MetadataVersion
from sp_app.models.scim import ScimAnswer, ScimEmail, ScimGroup, ScimMember, ScimUser
from sp_app.models.scim_token import ScimToken
from sp_app.models.session import FederatedSession, subject_key
from sp_app.models.switch import FederationSwitch

__all__ = [
    "AcceptedInvitation",
    "Account",
    "AuditEntry",
    "Base",
    "FederatedSession",
    "FederationSwitch",
    "HeldRequest",
    "IdPConnection",
    "KeptForm",
    "Link",
    "MetadataAbsence",
    "MetadataEntity",
    "MetadataPart",
    "MetadataSource",
    "MetadataVersion",
    "PendingChoice",
    "PendingRequest",
    "RememberedLogout",
    "ReplayEntry",
    "ScimAnswer",
    "ScimEmail",
    "ScimGroup",
    "ScimMember",
    "ScimToken",
    "ScimUser",
    "SignOut",
    "identifier_key",
    "subject_key",
]
