"""Web Browser SSO, the response: build it (SAML Profiles 4.1.4.2; SAML Core 2 and 3.3.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Final

from federation.saml import encryption, signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.codec import response as response_codec
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.messages import Attribute, NameID, Response, Status
from federation.saml.metadata.entity import Endpoint, KeyDescriptor
from federation.saml.profiles import outline_text
from federation.saml.profiles import sso_response_blank as blanks
from federation.saml.profiles.outline_text import Outlined
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
        "binding": acs.binding.rpartition(":")[2],
        "response_id": response_id,
        "assertion_id": assertion_id,
        "issuer": issuer,
        "acs": acs.location,
        "audience": audience,
        "now": format_instant(now),
        "end": format_instant(now + lifetime),
        "authn_instant": format_instant(authn_instant),
        "class_ref": authn_context_class_ref,
    }
    if in_response_to is not None:
        values["request_id"] = in_response_to
    if session_index is not None:
        values["session_index"] = session_index
    if session_not_on_or_after is not None:
        values["session_end"] = format_instant(session_not_on_or_after)
    for index, authority in enumerate(authenticating_authorities):
        values[f"{blanks.AUTHORITY}{index}"] = authority
    seals = {} if encrypt_to is None else dict.fromkeys(encrypt, partial(_sealed, encrypt_to, audience, algorithms))
    start, status, head, body, end = blanks.blank(*values).fill(
        values,
        blanks.name_id(name_id, seals.get(NAME_ID)),
        blanks.attributes(attributes, seals.get(ATTRIBUTES)),
    )
    assertion = _signed(head, body, assertion_id, signing_key if sign_assertion or not sign_response else None, 2)
    if ASSERTION in seals:
        wrapper = seals[ASSERTION](assertion[0].encode(), ENCRYPTED_ASSERTION)
        assertion = xml.serialise(wrapper).decode(), outline_text.lines_of(wrapper, 1)
    rest = f"{status[0]}{assertion[0]}{end[0]}", f"{status[1]}{assertion[1]}{end[1]}"
    text, shown = _signed(start, rest, response_id, signing_key if sign_response else None, 1)
    octets = text.encode()
    return Outlined(octets, outline_text.fitting(shown, len(octets)))


def _sealed(
    key: KeyDescriptor, recipient: str, algorithms: Algorithms, plain: xml.Element | bytes, tag: str
) -> xml.Element:
    """Something encrypted, in an element of this name."""
    wrapper = xml.new(tag)
    wrapper.append(encryption.encrypt(plain, key=key, recipient=recipient, algorithms=algorithms))
    return wrapper


def _signed(start: Part, rest: Part, identifier: str, key: SigningKey | None, depth: int) -> Part:
    """An element that begins and goes on like this, with a signature by the key, so deep, between."""
    text, lines = start
    more, more_lines = rest
    if key is None:
        return f"{text}{more}", f"{lines}{more_lines}"
    made = signature.over(identifier, f"{text}{more}".encode(), key=key)
    return f"{text}{made}{more}", f"{lines}{_signature_lines(key.certificate, depth)}{more_lines}"


@lru_cache(maxsize=64)
def _signature_lines(certificate: bytes | None, depth: int) -> str:
    return outline_text.lines_of(signature.bare(certificate), depth)


def build_error(
    *,
    response_id: str,
    issuer: str,
    acs: Endpoint,
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
        destination=acs.location,
        in_response_to=in_response_to,
    )
    element = response_codec.write(response)
    octets = signature.signed(element, key=signing_key)
    element.insert(1, signature.bare(signing_key.certificate))
    return Outlined(octets, outline_text.of_ours(acs.binding, element, len(octets)))
