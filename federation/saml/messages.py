"""SAML messages as frozen values (SAML Core 2 and 3). Every instant is an aware `datetime` in UTC.

These are what the codec reads and writes and what the profiles decide on. They hold what this toolkit uses; what a
partner adds beyond (extensions, advice) is legal, ignored knowingly, and not kept.

What every sign-in at an identity provider makes is a named tuple: that is made in one step, a frozen dataclass in one
for each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class NameID(NamedTuple):
    """The subject's identifier (SAML Core 2.2.2). An omitted `format` reads as unspecified (2.2.2)."""

    value: str
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    sp_provided_id: str | None = None


class NameIDPolicy(NamedTuple):
    """The kind of identifier a requester asks for (SAML Core 3.4.1.1)."""

    format: str | None = None
    sp_name_qualifier: str | None = None
    allow_create: bool = False


class RequestedAuthnContext(NamedTuple):
    """The authentication context a requester asks for (SAML Core 3.3.2.2.1).

    `comparison` is exact, minimum, maximum or better; `class_refs` is in the requester's order of preference.
    """

    class_refs: tuple[str, ...]
    comparison: str = "exact"
    declaration_refs: tuple[str, ...] = ()


class Scoping(NamedTuple):
    """Whom a proxying IdP may ask (SAML Core 3.4.1.2)."""

    proxy_count: int | None = None
    idp_list: tuple[str, ...] = ()
    requester_ids: tuple[str, ...] = ()


class AuthnRequest(NamedTuple):
    """A request to authenticate a person (SAML Core 3.4.1)."""

    id: str
    issuer: str
    issue_instant: datetime
    destination: str | None = None
    assertion_consumer_service_url: str | None = None
    assertion_consumer_service_index: int | None = None
    attribute_consuming_service_index: int | None = None
    protocol_binding: str | None = None
    name_id_policy: NameIDPolicy | None = None
    requested_authn_context: RequestedAuthnContext | None = None
    scoping: Scoping | None = None
    subject: NameID | None = None
    has_conditions: bool = False
    force_authn: bool = False
    is_passive: bool = False
    provider_name: str | None = None
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The outcome of a request (SAML Core 3.2.2): top-level code, nested second-level code, a text for people."""

    code: str
    second_level: str | None = None
    message: str | None = None


class Attribute(NamedTuple):
    """One attribute of the subject (SAML Core 2.7.3.1). `friendly_name` is never used for a decision."""

    name: str
    values: tuple[str, ...]
    name_format: str | None = None
    friendly_name: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectConfirmation:
    """How the presenter is tied to the subject (SAML Core 2.4.1.1, 2.4.1.2)."""

    method: str
    recipient: str | None = None
    in_response_to: str | None = None
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AuthnStatement:
    """How and when the subject was authenticated (SAML Core 2.7.2)."""

    authn_instant: datetime
    session_index: str | None = None
    session_not_on_or_after: datetime | None = None
    authn_context_class_ref: str | None = None
    authenticating_authorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """When and for whom an assertion is valid (SAML Core 2.5.1).

    `audience_restrictions` holds one tuple of audiences per restriction element: each restriction must be met.
    `unknown` names conditions that this toolkit does not understand: they make an assertion indeterminate, so refused.
    """

    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    audience_restrictions: tuple[tuple[str, ...], ...] = ()
    one_time_use: bool = False
    proxy_restriction: bool = False
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assertion:
    """Statements of an IdP about one subject (SAML Core 2.3.3)."""

    id: str
    issuer: str
    issue_instant: datetime
    name_id: NameID | None
    subject_confirmations: tuple[SubjectConfirmation, ...]
    conditions: Conditions | None
    authn_statements: tuple[AuthnStatement, ...]
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """The envelope of a response (SAML Core 3.2.2, 3.3.3), without its assertion."""

    id: str
    issue_instant: datetime
    status: Status
    issuer: str | None = None
    destination: str | None = None
    in_response_to: str | None = None
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request to end sessions of one subject (SAML Core 3.7.1).

    `session_indexes` empty means every session of that subject with the issuer. `asynchronous` is the extension of the
    Asynchronous Single Logout protocol: no answer is expected.
    """

    id: str
    issuer: str
    issue_instant: datetime
    name_id: NameID
    session_indexes: tuple[str, ...] = ()
    destination: str | None = None
    not_on_or_after: datetime | None = None
    reason: str | None = None
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """The answer to a logout request (SAML Core 3.7.2)."""

    id: str
    issuer: str
    issue_instant: datetime
    status: Status
    destination: str | None = None
    in_response_to: str | None = None


@dataclass(frozen=True, slots=True)
class ArtifactResolve:
    """A request for the message that an artifact stands for (SAML Core 3.5.1)."""

    id: str
    issuer: str
    issue_instant: datetime
    artifact: str
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class ArtifactResponse:
    """The envelope in which a message is handed out for an artifact (SAML Core 3.5.2), without that message."""

    id: str
    issuer: str
    issue_instant: datetime
    status: Status
    in_response_to: str | None = None


class QuerySignature(NamedTuple):
    """The detached signature of HTTP-Redirect (SAML Bindings 3.4.4.1)."""

    algorithm: str
    signature: bytes
    signed_octets: bytes


class _Delivered(NamedTuple):
    binding: str
    parameter: str
    xml: bytes
    relay_state: str | None = None
    query_signature: QuerySignature | None = None
    covered_by: str | None = None


class Received(_Delivered):
    """A message as a binding delivered it, nothing verified (SAML Bindings 3).

    `parameter` is SAMLRequest or SAMLResponse. `query_signature` is present only with HTTP-Redirect (3.4.4.1): the
    octets exactly as they stood in the query, which are what the signature covers. `covered_by` is present only with
    HTTP-Artifact: the entityID of the partner whose verified signature stands on the answer that the message was taken
    out of, and so covers the message too (SAML Profiles 5.1).

    `parsed` is what `profiles.arrival.document_of` has made of `xml`, once it was asked for. It is none of the values,
    so a changed copy never keeps the document of another message.
    """

    parsed: Any = None
