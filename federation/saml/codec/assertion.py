"""Assertion as XML (SAML Core 2.3 to 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.codec.common import (
    CONDITIONS,
    ENCRYPTED_ID,
    ISSUER,
    NAME_ID,
    SIGNATURE,
    SUBJECT,
    SUBJECT_CONFIRMATION,
    A,
    read_instant,
    read_issuer,
    read_name_id,
    write_name_id,
)
from federation.saml.messages import (
    Assertion,
    Attribute,
    AuthnStatement,
    Conditions,
    NameID,
    SubjectConfirmation,
)
from federation.saml.names import XSI
from federation.saml.times import format_instant, parse_instant

Open = Callable[[etree._Element], etree._Element]
"""Opens an EncryptedID or EncryptedAttribute and answers the element inside."""

ASSERTION: Final = f"{A}Assertion"
ADVICE: Final = f"{A}Advice"
SUBJECT_CONFIRMATION_DATA: Final = f"{A}SubjectConfirmationData"
AUDIENCE_RESTRICTION: Final = f"{A}AudienceRestriction"
AUDIENCE: Final = f"{A}Audience"
ONE_TIME_USE: Final = f"{A}OneTimeUse"
PROXY_RESTRICTION: Final = f"{A}ProxyRestriction"
STATEMENT: Final = f"{A}Statement"
AUTHN_STATEMENT: Final = f"{A}AuthnStatement"
AUTHZ_DECISION_STATEMENT: Final = f"{A}AuthzDecisionStatement"
ATTRIBUTE_STATEMENT: Final = f"{A}AttributeStatement"
SUBJECT_LOCALITY: Final = f"{A}SubjectLocality"
AUTHN_CONTEXT: Final = f"{A}AuthnContext"
CLASS_REF: Final = f"{A}AuthnContextClassRef"
DECLARATION: Final = f"{A}AuthnContextDecl"
DECLARATION_REF: Final = f"{A}AuthnContextDeclRef"
AUTHENTICATING_AUTHORITY: Final = f"{A}AuthenticatingAuthority"
ATTRIBUTE: Final = f"{A}Attribute"
ATTRIBUTE_VALUE: Final = f"{A}AttributeValue"
ENCRYPTED_ATTRIBUTE: Final = f"{A}EncryptedAttribute"

_ASSERTION: Final = xml.Shape(
    xml.one(ISSUER),
    xml.maybe(SIGNATURE),
    xml.maybe(SUBJECT),
    xml.maybe(CONDITIONS),
    xml.maybe(ADVICE),
    xml.several(STATEMENT, AUTHN_STATEMENT, AUTHZ_DECISION_STATEMENT, ATTRIBUTE_STATEMENT),
)
_SUBJECT: Final = xml.Shape(xml.several(NAME_ID, ENCRYPTED_ID, most=1), xml.several(SUBJECT_CONFIRMATION, most=16))
_CONFIRMATION: Final = xml.Shape(xml.several(NAME_ID, ENCRYPTED_ID, most=1), xml.maybe(SUBJECT_CONFIRMATION_DATA))
_AUDIENCES: Final = xml.Shape(xml.several(AUDIENCE, least=1))
_AUTHN_STATEMENT: Final = xml.Shape(xml.maybe(SUBJECT_LOCALITY), xml.one(AUTHN_CONTEXT))
_AUTHN_CONTEXT: Final = xml.Shape(
    xml.maybe(CLASS_REF), xml.several(DECLARATION, DECLARATION_REF, most=1), xml.several(AUTHENTICATING_AUTHORITY)
)
_ATTRIBUTE_STATEMENT: Final = xml.Shape(xml.several(ATTRIBUTE, ENCRYPTED_ATTRIBUTE, least=1))
_ATTRIBUTE: Final = xml.Shape(xml.several(ATTRIBUTE_VALUE))

# Reading --------------------------------------------------------------------------------------------------------------


def read(element: etree._Element, *, open_encrypted: Open | None = None) -> Assertion:
    """An Assertion from its element, which the caller has verified.

    `open_encrypted` decrypts an EncryptedID and EncryptedAttributes; without it they are malformed, because what cannot
    be read must not look as if it were absent. Advice and statements other than the two of Web Browser SSO are legal
    and not looked into. Raises `Malformed`, and what `open_encrypted` raises.
    """
    xml.expect(element, ASSERTION)
    content = _ASSERTION.read(element)
    name_id, confirmations = _read_subject(content.first(SUBJECT), open_encrypted)
    return Assertion(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        name_id=name_id,
        subject_confirmations=confirmations,
        conditions=_read_conditions(content.first(CONDITIONS)),
        authn_statements=tuple(_read_authn_statement(child) for child in content.all(AUTHN_STATEMENT)),
        attributes=tuple(
            _read_attribute(child, open_encrypted)
            for statement in content.all(ATTRIBUTE_STATEMENT)
            for child in _attributes_in(statement)
        ),
    )


def _opened(element: etree._Element, open_encrypted: Open | None, tag: str) -> etree._Element:
    if open_encrypted is None:
        raise Malformed("assertion.encrypted", "the assertion holds encrypted parts and there is no key for them")
    return xml.expect(open_encrypted(element), tag)


def _read_subject(
    element: etree._Element | None, open_encrypted: Open | None
) -> tuple[NameID | None, tuple[SubjectConfirmation, ...]]:
    if element is None:
        return None, ()
    content = _SUBJECT.read(element)
    name_id, encrypted = content.first(NAME_ID), content.first(ENCRYPTED_ID)
    if encrypted is not None:
        name_id = _opened(encrypted, open_encrypted, NAME_ID)
    confirmations = tuple(_read_confirmation(child) for child in content.all(SUBJECT_CONFIRMATION))
    return None if name_id is None else read_name_id(name_id), confirmations


def _read_confirmation(element: etree._Element) -> SubjectConfirmation:
    method = xml.required(element, "Method")
    data = _CONFIRMATION.read(element).first(SUBJECT_CONFIRMATION_DATA)
    if data is None:
        return SubjectConfirmation(method)
    return SubjectConfirmation(
        method=method,
        recipient=data.get("Recipient"),
        in_response_to=data.get("InResponseTo"),
        not_before=read_instant(data, "NotBefore"),
        not_on_or_after=read_instant(data, "NotOnOrAfter"),
        address=data.get("Address"),
    )


def _read_conditions(element: etree._Element | None) -> Conditions | None:
    if element is None:
        return None
    restrictions: list[tuple[str, ...]] = []
    known: set[str] = set()
    unknown: list[str] = []
    for child in element:
        tag = str(child.tag)
        if tag == AUDIENCE_RESTRICTION:
            restrictions.append(tuple(xml.uri(audience) for audience in _AUDIENCES.read(child).all(AUDIENCE)))
        elif tag in (ONE_TIME_USE, PROXY_RESTRICTION) and tag not in known:
            known.add(tag)
        else:
            unknown.append(child.get(f"{{{XSI}}}type", xml.local_name(child)))
    return Conditions(
        not_before=read_instant(element, "NotBefore"),
        not_on_or_after=read_instant(element, "NotOnOrAfter"),
        audience_restrictions=tuple(restrictions),
        one_time_use=ONE_TIME_USE in known,
        proxy_restriction=PROXY_RESTRICTION in known,
        unknown=tuple(unknown),
    )


def _read_authn_statement(element: etree._Element) -> AuthnStatement:
    context = _AUTHN_CONTEXT.read(_AUTHN_STATEMENT.read(element).only(AUTHN_CONTEXT))
    class_ref = context.first(CLASS_REF)
    return AuthnStatement(
        authn_instant=parse_instant(xml.required(element, "AuthnInstant")),
        session_index=element.get("SessionIndex"),
        session_not_on_or_after=read_instant(element, "SessionNotOnOrAfter"),
        authn_context_class_ref=None if class_ref is None else xml.uri(class_ref),
        authenticating_authorities=tuple(xml.uri(child) for child in context.all(AUTHENTICATING_AUTHORITY)),
    )


def _attributes_in(statement: etree._Element) -> list[etree._Element]:
    _ATTRIBUTE_STATEMENT.read(statement)
    return list(statement)


def _read_attribute(element: etree._Element, open_encrypted: Open | None) -> Attribute:
    if element.tag == ENCRYPTED_ATTRIBUTE:
        element = _opened(element, open_encrypted, ATTRIBUTE)
    values = (_read_value(child) for child in _ATTRIBUTE.read(element).all(ATTRIBUTE_VALUE))
    return Attribute(
        name=xml.required(element, "Name"),
        values=tuple(value for value in values if value is not None),
        name_format=element.get("NameFormat"),
        friendly_name=element.get("FriendlyName"),
    )


def _read_value(element: etree._Element) -> str | None:
    """The text of an AttributeValue, or of the NameID in it as eduPersonTargetedID has it.

    None for xsi:nil and for structured values, which are legal, are no text, and must not be read as part of one.
    """
    if len(element) == 0:
        nil = xml.boolean(element, f"{{{XSI}}}nil")
        return None if nil else element.text or ""
    only = element[0]
    surrounding = (element.text or "") + (only.tail or "")
    if len(element) == 1 and only.tag == NAME_ID and not surrounding.strip(xml.SPACE):
        return xml.text(only)
    return None


# Writing --------------------------------------------------------------------------------------------------------------


def write(assertion: Assertion) -> xml.Element:
    """An element for the assertion, in schema order, as the root of a document of its own.

    Attribute values carry no xsi:type: a type would need its prefix declared for the signature as well.
    """
    element = xml.new(
        ASSERTION,
        {"ID": assertion.id, "Version": "2.0", "IssueInstant": format_instant(assertion.issue_instant)},
    )
    xml.add(element, ISSUER, assertion.issuer)
    if assertion.name_id is not None or assertion.subject_confirmations:
        subject = xml.add(element, SUBJECT)
        if assertion.name_id is not None:
            write_name_id(subject, assertion.name_id)
        for confirmation in assertion.subject_confirmations:
            _write_confirmation(subject, confirmation)
    if assertion.conditions is not None:
        _write_conditions(element, assertion.conditions)
    for statement in assertion.authn_statements:
        _write_authn_statement(element, statement)
    if assertion.attributes:
        holder = xml.add(element, ATTRIBUTE_STATEMENT)
        for attribute in assertion.attributes:
            write_attribute(holder, attribute)
    return element


def _write_confirmation(subject: xml.Element, confirmation: SubjectConfirmation) -> None:
    element = xml.add(subject, SUBJECT_CONFIRMATION, None, {"Method": confirmation.method})
    not_before, not_on_or_after = confirmation.not_before, confirmation.not_on_or_after
    xml.add(
        element,
        SUBJECT_CONFIRMATION_DATA,
        None,
        {
            "NotBefore": None if not_before is None else format_instant(not_before),
            "NotOnOrAfter": None if not_on_or_after is None else format_instant(not_on_or_after),
            "Recipient": confirmation.recipient,
            "InResponseTo": confirmation.in_response_to,
            "Address": confirmation.address,
        },
    )


def _write_conditions(parent: xml.Element, conditions: Conditions) -> None:
    not_before, not_on_or_after = conditions.not_before, conditions.not_on_or_after
    element = xml.add(
        parent,
        CONDITIONS,
        None,
        {
            "NotBefore": None if not_before is None else format_instant(not_before),
            "NotOnOrAfter": None if not_on_or_after is None else format_instant(not_on_or_after),
        },
    )
    for audiences in conditions.audience_restrictions:
        restriction = xml.add(element, AUDIENCE_RESTRICTION)
        for audience in audiences:
            xml.add(restriction, AUDIENCE, audience)
    if conditions.one_time_use:
        xml.add(element, ONE_TIME_USE)
    if conditions.proxy_restriction:
        xml.add(element, PROXY_RESTRICTION)


def _write_authn_statement(parent: xml.Element, statement: AuthnStatement) -> None:
    end = statement.session_not_on_or_after
    element = xml.add(
        parent,
        AUTHN_STATEMENT,
        None,
        {
            "AuthnInstant": format_instant(statement.authn_instant),
            "SessionIndex": statement.session_index,
            "SessionNotOnOrAfter": None if end is None else format_instant(end),
        },
    )
    context = xml.add(element, AUTHN_CONTEXT)
    if statement.authn_context_class_ref is not None:
        xml.add(context, CLASS_REF, statement.authn_context_class_ref)
    for authority in statement.authenticating_authorities:
        xml.add(context, AUTHENTICATING_AUTHORITY, authority)


def write_attribute(parent: xml.Element, attribute: Attribute) -> None:
    """Append an Attribute."""
    element = xml.add(
        parent,
        ATTRIBUTE,
        None,
        {"Name": attribute.name, "NameFormat": attribute.name_format, "FriendlyName": attribute.friendly_name},
    )
    for value in attribute.values:
        xml.add(element, ATTRIBUTE_VALUE, value)
