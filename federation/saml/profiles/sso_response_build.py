"""Web Browser SSO, the response: build it (SAML Profiles 4.1.4.2; SAML Core 2 and 3.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from federation.saml import encryption, signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.codec.common import ENCRYPTED_ID
from federation.saml.codec.common import NAME_ID as NAME_ID_TAG
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.messages import (
    Assertion,
    Attribute,
    AuthnStatement,
    Conditions,
    NameID,
    Response,
    Status,
    SubjectConfirmation,
)
from federation.saml.metadata.entity import Endpoint, KeyDescriptor
from federation.saml.names import ConfirmationMethod, StatusCode
from federation.saml.signature import SigningKey

LIFETIME: Final = timedelta(minutes=5)
ASSERTION: Final = "assertion"
NAME_ID: Final = "name-id"
ATTRIBUTES: Final = "attributes"
"""What can be encrypted of a response."""
_PARTS: Final = (
    (NAME_ID, NAME_ID_TAG, ENCRYPTED_ID),
    (ATTRIBUTES, assertion_codec.ATTRIBUTE, assertion_codec.ENCRYPTED_ATTRIBUTE),
)


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
) -> xml.Written:
    """A Response with one assertion, for the endpoint `acs` of the SP `audience`, as XML.

    The assertion is signed, then encrypted to `encrypt_to`, then the response is signed, as far as each is asked for;
    at least one of the two is signed. `encrypt` names what is encrypted where there is a key: ASSERTION, or within it
    NAME_ID and ATTRIBUTES, by what both `algorithms` and the key's own list allow. `in_response_to` is None for an
    unsolicited response. The assertion may be delivered for `lifetime` from now; `session_not_on_or_after` ends the
    session at the SP.

    Raises `ConfigurationError` when a value cannot stand in XML or the partner's key is unfit.
    """
    assertion = Assertion(
        id=assertion_id,
        issuer=issuer,
        issue_instant=now,
        name_id=name_id,
        subject_confirmations=(
            SubjectConfirmation(
                method=ConfirmationMethod.BEARER,
                recipient=acs.location,
                in_response_to=in_response_to,
                not_on_or_after=now + lifetime,
            ),
        ),
        conditions=Conditions(not_before=now, not_on_or_after=now + lifetime, audience_restrictions=((audience,),)),
        authn_statements=(
            AuthnStatement(
                authn_instant=authn_instant,
                session_index=session_index,
                session_not_on_or_after=session_not_on_or_after,
                authn_context_class_ref=authn_context_class_ref,
                authenticating_authorities=tuple(authenticating_authorities),
            ),
        ),
        attributes=tuple(attributes),
    )
    element = assertion_codec.write(assertion)

    def sealed(plain: xml.Element, tag: str, key: KeyDescriptor) -> xml.Element:
        wrapper = xml.new(tag)
        wrapper.append(encryption.encrypt(plain, key=key, recipient=audience, algorithms=algorithms))
        return wrapper

    if encrypt_to is not None:
        for part, plain_tag, tag in _PARTS:
            if part in encrypt:
                _replace(element, plain_tag, partial(sealed, tag=tag, key=encrypt_to))
    if sign_assertion or not sign_response:
        signature.signed(element, key=signing_key)
    if encrypt_to is not None and ASSERTION in encrypt:
        element = sealed(element, ENCRYPTED_ASSERTION, encrypt_to)
    response = Response(
        id=response_id,
        issue_instant=now,
        status=Status(StatusCode.SUCCESS),
        issuer=issuer,
        destination=acs.location,
        in_response_to=in_response_to,
    )
    return _finished(response_codec.write(response, element), signing_key if sign_response else None)


def build_error(
    *,
    response_id: str,
    issuer: str,
    destination: str,
    in_response_to: str | None,
    status: Status,
    now: datetime,
    signing_key: SigningKey,
) -> xml.Written:
    """A signed Response that tells the SP why there is no assertion, as XML. Its message is for people at the SP."""
    response = Response(
        id=response_id,
        issue_instant=now,
        status=status,
        issuer=issuer,
        destination=destination,
        in_response_to=in_response_to,
    )
    return _finished(response_codec.write(response), signing_key)


def _replace(element: xml.Element, tag: str, made_of: Callable[[xml.Element], xml.Element]) -> None:
    """Put in place of every element of this name what is made of it."""
    for position, child in enumerate(element):
        if child.tag == tag:
            element[position] = made_of(child)
        else:
            _replace(child, tag, made_of)


def _finished(element: xml.Element, key: SigningKey | None) -> xml.Written:
    return xml.write(element) if key is None else signature.signed(element, key=key)
