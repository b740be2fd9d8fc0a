"""Web Browser SSO, the response: build it (SAML Profiles 4.1.4.2; SAML Core 2 and 3.3.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from federation.saml import encryption, signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.codec import response as response_codec
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.messages import Attribute, NameID, Response, Status
from federation.saml.metadata.entity import Endpoint, KeyDescriptor
from federation.saml.profiles import outline
from federation.saml.profiles import sso_response_blank as blanks
from federation.saml.profiles.outline import Line, Outlined
from federation.saml.profiles.sso_response_blank import Part
from federation.saml.signature import SigningKey
from federation.saml.times import format_instant

LIFETIME: Final = timedelta(minutes=5)
ASSERTION: Final = "assertion"
NAME_ID: Final = "name-id"
ATTRIBUTES: Final = "attributes"
"""What can be encrypted of a response."""


def build(
    *,
    response_id: str,
    assertion_id: str,
    issuer: str,
    acs: Endpoint,
    in_response_to: str | None,
    audience: str,
    name_id: NameID | None,
    attributes: Sequence[Attribute],
    authn_instant: datetime,
    session_index: str | None,
    authn_context_class_ref: str,
    now: datetime,
    signing_key: SigningKey,
    lifetime: timedelta = LIFETIME,
    session_not_on_or_after: datetime | None = None,
    sign_response: bool = True,
    sign_assertion: bool = False,
    encrypt_to: KeyDescriptor | None = None,
    encrypt: Collection[str] = (ASSERTION,),
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    authenticating_authorities: Sequence[str] = (),
) -> Outlined:
    """A Response with one assertion, for the endpoint `acs` of the SP `audience`, as XML.

    The assertion is signed, then encrypted to `encrypt_to`, then the response is signed, as far as each is asked for;
    at least one of the two is signed. `encrypt` names what is encrypted where there is a key: ASSERTION, or within it
    NAME_ID and ATTRIBUTES, by what both `algorithms` and the key's own list allow. `in_response_to` is None for an
    unsolicited response. The assertion may be delivered for `lifetime` from now; `session_not_on_or_after` ends the
    session at the SP.

    Raises `ConfigurationError` when a value cannot stand in XML or the partner's key is unfit.
    """
    values = {
        "response_id": response_id,
        "assertion_id": assertion_id,
        "issuer": issuer,
        "acs": acs.location,
        "request_id": in_response_to or "",
        "audience": audience,
        "now": format_instant(now),
        "end": format_instant(now + lifetime),
        "authn_instant": format_instant(authn_instant),
        "session_index": session_index or "",
        "session_end": "" if session_not_on_or_after is None else format_instant(session_not_on_or_after),
        "class_ref": authn_context_class_ref,
    }
    for index, authority in enumerate(authenticating_authorities):
        values[f"authority_{index}"] = authority
    made = blanks.blank(
        answer=in_response_to is not None,
        session_index=session_index is not None,
        session_end=session_not_on_or_after is not None,
        authorities=len(authenticating_authorities),
    ).fill(values)

    def seal(plain: xml.Element | bytes, tag: str) -> xml.Element:
        assert encrypt_to is not None
        wrapper = xml.new(tag)
        wrapper.append(encryption.encrypt(plain, key=encrypt_to, recipient=audience, algorithms=algorithms))
        return wrapper

    sealed = () if encrypt_to is None else encrypt
    name = blanks.name_id(name_id, seal if NAME_ID in sealed else None)
    told = blanks.attributes(attributes, seal if ATTRIBUTES in sealed else None)
    assertion = _joined(
        made.head,
        (made.subject, name, made.statements, told, made.tail),
        assertion_id,
        signing_key if sign_assertion or not sign_response else None,
        1,
    )
    if ASSERTION in sealed:
        wrapper = seal(assertion.text.encode(), ENCRYPTED_ASSERTION)
        assertion = blanks.Part(xml.serialise(wrapper).decode(), outline.lines_of(wrapper, 1))
    response = _joined(
        made.start, (made.status, assertion, made.end), response_id, signing_key if sign_response else None, 0
    )
    return Outlined(response.text.encode(), response.lines)


def _joined(start: Part, rest: Sequence[Part], identifier: str, key: SigningKey | None, depth: int) -> Part:
    """An element of its parts, with a signature by the key after the first."""
    text = "".join([part.text for part in rest])
    lines = [*start.lines]
    signed = ""
    if key is not None:
        signed = signature.over(identifier, f"{start.text}{text}".encode(), key=key)
        lines += _signature_lines(key.certificate, depth + 1)
    for part in rest:
        lines += part.lines
    return Part(f"{start.text}{signed}{text}", lines)


@lru_cache(maxsize=64)
def _signature_lines(certificate: bytes | None, depth: int) -> list[Line]:
    return outline.lines_of(signature.bare(certificate), depth)


def build_error(
    *,
    response_id: str,
    issuer: str,
    destination: str,
    in_response_to: str | None,
    status: Status,
    now: datetime,
    signing_key: SigningKey,
) -> Outlined:
    """A signed Response that tells the SP why there is no assertion, as XML. Its message is for people at the SP."""
    response = Response(
        id=response_id,
        issue_instant=now,
        status=status,
        issuer=issuer,
        destination=destination,
        in_response_to=in_response_to,
    )
    element = response_codec.write(response)
    octets = signature.signed(element, key=signing_key)
    element.insert(1, signature.bare(signing_key.certificate))
    return Outlined(octets, outline.lines_of(element))
