"""Single Logout (SAML Profiles 4.4; SAML Core 3.7): build and send its messages, accept them.

Both roles send both messages, so there is one ceremony for each: `accept_request` at whoever is asked to end sessions,
`accept_response` at whoever asked. Every message is signed, and only what was signed is read. Which sessions a request
means is decided by `names`, against what the asked one remembers of that partner and of nobody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml import encryption, signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.bindings import post, redirect, soap
from federation.saml.bindings.destination import check_destination
from federation.saml.bindings.parameters import REQUEST, RESPONSE
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, attempt, run
from federation.saml.codec import logout as codec
from federation.saml.codec.common import ISSUER, read_issuer
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received, Status
from federation.saml.metadata.entity import Endpoint, Role
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout_rules as rules
from federation.saml.profiles.arrival import document_of, open_message
from federation.saml.profiles.logout_rules import LogoutExpectations
from federation.saml.signature import SigningKey

LIFETIME: Final = timedelta(minutes=5)
REASON_USER: Final = "urn:oasis:names:tc:SAML:2.0:logout:user"
REASON_ADMIN: Final = "urn:oasis:names:tc:SAML:2.0:logout:admin"
SUCCESS: Final = Status(StatusCode.SUCCESS)
PARTIAL: Final = Status(StatusCode.SUCCESS, StatusCode.PARTIAL_LOGOUT)

Outcome = Literal["ended", "partial", "failed"]

# Building -------------------------------------------------------------------------------------------------------------


def build_request(
    *,
    id: str,  # noqa: A002 - the attribute's own name
    issuer: str,
    destination: str,
    name_id: NameID,
    session_indexes: Sequence[str],
    now: datetime,
    lifetime: timedelta = LIFETIME,
    reason: str | None = REASON_USER,
    asynchronous: bool = False,
) -> LogoutRequest:
    """A request to end sessions. `name_id` is exactly the one in the assertion, attributes included (SDP-SP29)."""
    return LogoutRequest(
        id=id,
        issuer=issuer,
        issue_instant=now,
        name_id=name_id,
        session_indexes=tuple(session_indexes),
        destination=destination,
        not_on_or_after=now + lifetime,
        reason=reason,
        asynchronous=asynchronous,
    )


def build_response(
    *,
    id: str,  # noqa: A002 - the attribute's own name
    issuer: str,
    destination: str | None,
    in_response_to: str,
    status: Status,
    now: datetime,
) -> LogoutResponse:
    """The answer to a logout request. `destination` is None over SOAP, where the answer goes back the way it came."""
    return LogoutResponse(
        id=id, issuer=issuer, issue_instant=now, status=status, destination=destination, in_response_to=in_response_to
    )


def send(
    message: LogoutRequest | LogoutResponse, *, binding: str, key: SigningKey, relay_state: str | None = None
) -> str | PostForm:
    """Serialise, sign and bind a message for the browser: a URL to redirect to, or a form to submit.

    Over HTTP-Redirect it is signed in the query only. Raises `ConfigurationError` for another binding.
    """
    if message.destination is None:
        raise ConfigurationError("logout: no destination")
    parameter = REQUEST if isinstance(message, LogoutRequest) else RESPONSE
    element = _write(message)
    if binding == Binding.REDIRECT:
        return redirect.encode(
            xml.serialise(element),
            parameter=parameter,
            destination=message.destination,
            relay_state=relay_state,
            key=key,
        )
    if binding == Binding.POST:
        document = signature.signed(element, key=key)
        return post.encode(document, parameter=parameter, destination=message.destination, relay_state=relay_state)
    raise ConfigurationError(f"logout: no browser carries {binding}")


def asked_at(role: Role) -> Endpoint | None:
    """Where a partner takes our requests from a browser: by Redirect, or by POST where it offers nothing else.

    SDP-SP25, SDP-IDP24. None where its metadata offers neither at an address that a browser may be sent to.
    """
    return _by_browser(role, lambda endpoint: endpoint.location)


def answered_at(role: Role) -> Endpoint | None:
    """The same for our answers (SDP-SP31, SDP-IDP28): its `location` is the ResponseLocation where there is one."""
    return _by_browser(role, lambda endpoint: endpoint.response_location or endpoint.location)


def _by_browser(role: Role, location_of: Callable[[Endpoint], str]) -> Endpoint | None:
    for binding in (Binding.REDIRECT, Binding.POST):
        for endpoint in role.single_logout:
            location = location_of(endpoint)
            if endpoint.binding == binding and _is_fit(location):
                return Endpoint(binding, location)
    return None


def _is_fit(location: str) -> bool:
    try:
        check_destination(location)
    except ConfigurationError:
        return False
    return True


def envelope(message: LogoutRequest | LogoutResponse, *, key: SigningKey) -> bytes:
    """Serialise and sign a message, and put it into a SOAP envelope (SAML Bindings 3.2)."""
    return soap.encode(signature.signed(_write(message), key=key))


def _write(message: LogoutRequest | LogoutResponse) -> xml.Element:
    return codec.write_request(message) if isinstance(message, LogoutRequest) else codec.write_response(message)


# Accepting ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AcceptedLogoutRequest:
    """A logout request that passed every check.

    `replay_key` names it (a hash of issuer and ID); the caller must refuse a key that it has seen, and may forget it at
    `replay_until`, from when on the request is too old to be accepted anyway.
    """

    request: LogoutRequest
    replay_key: str
    replay_until: datetime
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class AcceptedLogoutResponse:
    """A logout response that passed every check; what it says may still be that nothing ended."""

    response: LogoutResponse
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """What the partner says has happened (SAML Core 3.7.3.2)."""
        status = self.response.status
        if StatusCode.PARTIAL_LOGOUT in (status.code, status.second_level):
            return "partial"
        return "ended" if status.code == StatusCode.SUCCESS else "failed"


def issuer_of(received: Received) -> str:
    """The Issuer that a message claims: unverified, and good only for looking the partner up. Raises `Malformed`."""
    element = document_of(received).root
    issuer = element.find(ISSUER)
    if element.tag not in (codec.LOGOUT_REQUEST, codec.LOGOUT_RESPONSE) or issuer is None:
        raise Malformed("logout.issuer", "not a logout message that names its Issuer")
    return read_issuer(issuer)


def in_response_to_of(received: Received) -> str | None:
    """The request that a response claims to answer: unverified, only to look that request up. Raises `Malformed`."""
    return xml.expect(document_of(received).root, codec.LOGOUT_RESPONSE).get("InResponseTo")


def accept_request(
    received: Received,
    expected: LogoutExpectations,
    *,
    decryption_keys: Sequence[DecryptionKey] = (),
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> AcceptedLogoutRequest:
    """Accept a LogoutRequest, or raise `Refused` with every check made.

    An EncryptedID is opened with `decryption_keys` in turn.
    """
    message = open_message(
        received,
        transport=rules.REQUEST_TRANSPORT,
        document=rules.REQUEST_DOCUMENT,
        signed=rules.SIGNATURE,
        demanded=True,
        form=rules.FORM,
        keys=expected.role.signing_keys,
        algorithms=algorithms,
    )

    def open_encrypted(element: etree._Element) -> etree._Element:
        element, _ = encryption.examine(element, decryption_keys, message.checks, algorithms=algorithms, covered=True)
        xml.collect_ids(element, known=message.identifiers)
        return element

    request = attempt(message.checks, rules.FORM, codec.read_request, message.element, open_encrypted)
    context = rules.Context(request, message.element, received.binding, expected)
    checks = run(rules.REQUEST, message.checks, context)
    return AcceptedLogoutRequest(
        request=request,
        replay_key=hashlib.sha256(f"{request.issuer}\n{request.id}".encode()).hexdigest(),
        replay_until=request.issue_instant + expected.max_age + expected.skew * 2,
        checks=checks,
    )


def accept_response(
    received: Received, expected: LogoutExpectations, *, algorithms: Algorithms = DEFAULT_ALGORITHMS
) -> AcceptedLogoutResponse:
    """Accept a LogoutResponse to our own request, or raise `Refused` with every check made."""
    message = open_message(
        received,
        transport=rules.RESPONSE_TRANSPORT,
        document=rules.RESPONSE_DOCUMENT,
        signed=rules.SIGNATURE,
        demanded=True,
        form=rules.FORM,
        keys=expected.role.signing_keys,
        algorithms=algorithms,
    )
    response = attempt(message.checks, rules.FORM, codec.read_response, message.element)
    context = rules.Context(response, message.element, received.binding, expected)
    return AcceptedLogoutResponse(response, run(rules.RESPONSE, message.checks, context))


def names(asked: NameID, held: NameID) -> bool:
    """Does the identifier in a request name the subject of a session that we hold (SAML Core 3.3.4)?

    The value is compared exactly. A format or qualifier that the request leaves out or empty is not compared: partners
    drop them, and an identifier that still names only subjects of that partner is good enough.
    """
    return (
        asked.value == held.value
        and _agrees(asked.format, held.format, NameIDFormat.UNSPECIFIED)
        and _agrees(asked.name_qualifier, held.name_qualifier)
        and _agrees(asked.sp_name_qualifier, held.sp_name_qualifier)
    )


def in_full(name_id: NameID, *, idp_entity_id: str, sp_entity_id: str) -> NameID:
    """A NameID with the qualifiers that it has when it names none: the two sides themselves (SAML Core 8.3.7)."""
    return name_id._replace(
        name_qualifier=name_id.name_qualifier or idp_entity_id,
        sp_name_qualifier=name_id.sp_name_qualifier or sp_entity_id,
    )


def _agrees(asked: str | None, held: str | None, *anything: str) -> bool:
    return not asked or asked in anything or held is None or asked == held
