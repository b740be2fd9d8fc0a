"""The identity provider's tables. Importing this package makes the metadata complete."""

from idp_app.models.artifacts import HeldMessage
from idp_app.models.audiences import Audience, audience_member
from idp_app.models.audit import AuditEntry
from idp_app.models.base import Base
from idp_app.models.connections import Connection, ConnectionState, Trust, connection_audience
from idp_app.models.invitations import Invitation
from idp_app.models.logout import LogoutRun, LogoutStep, ReceivedLogout, StepState
from idp_app.models.metadata import MetadataAbsence, MetadataEntity, MetadataPart, MetadataSource, MetadataVersion
from idp_app.models.people import Group, Person, group_member
from idp_app.models.provisioning import AccountLink, Change, GroupLink, MemberLink, Pending, ProvisioningLog, Stream
from idp_app.models.requests import ReceivedRequest
from idp_app.models.second_factors import EnrolmentCode, RecoveryCode, SecondFactor
from idp_app.models.sessions import KnownBrowser, Participation, SignInSession, SignInThrottle
from idp_app.models.switch import FederationSwitch

__all__ = [
    "AccountLink",
    "Audience",
    "AuditEntry",
    "Base",
    "Change",
    "Connection",
    "ConnectionState",
    "EnrolmentCode",
    "FederationSwitch",
    "Group",
    "GroupLink",
    "HeldMessage",
    "Invitation",
    "KnownBrowser",
    "LogoutRun",
    "LogoutStep",
    "MemberLink",
    "MetadataAbsence",
    "MetadataEntity",
    "MetadataPart",
    "MetadataSource",
    "MetadataVersion",
    "Participation",
    "Pending",
    "Person",
    "ProvisioningLog",
    "ReceivedLogout",
    "ReceivedRequest",
    "RecoveryCode",
    "SecondFactor",
    "SignInSession",
    "SignInThrottle",
    "StepState",
    "Stream",
    "Trust",
    "audience_member",
    "connection_audience",
    "group_member",
]
