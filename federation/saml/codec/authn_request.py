"""AuthnRequest as XML (SAML Core 3.4.1)."""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.codec.common import (
    CONDITIONS,
    ENCRYPTED_ID,
    EXTENSIONS,
    ISSUER,
    NAME_ID,
    SIGNATURE,
    SUBJECT,
    SUBJECT_CONFIRMATION,
    A,
    P,
    read_issuer,
    read_name_id,
    write_name_id,
)
from federation.saml.messages import AuthnRequest, NameID, NameIDPolicy, RequestedAuthnContext, Scoping
from federation.saml.times import format_instant, parse_instant

AUTHN_REQUEST: Final = f"{P}AuthnRequest"
NAME_ID_POLICY: Final = f"{P}NameIDPolicy"
REQUESTED_AUTHN_CONTEXT: Final = f"{P}RequestedAuthnContext"
SCOPING: Final = f"{P}Scoping"
IDP_LIST: Final = f"{P}IDPList"
IDP_ENTRY: Final = f"{P}IDPEntry"
GET_COMPLETE: Final = f"{P}GetComplete"
REQUESTER_ID: Final = f"{P}RequesterID"
BASE_ID: Final = f"{A}BaseID"
CLASS_REF: Final = f"{A}AuthnContextClassRef"
DECLARATION_REF: Final = f"{A}AuthnContextDeclRef"

_REQUEST: Final = xml.Shape(
    xml.one(ISSUER),
    xml.maybe(SIGNATURE),
    xml.maybe(EXTENSIONS),
    xml.maybe(SUBJECT),
    xml.maybe(NAME_ID_POLICY),
    xml.maybe(CONDITIONS),
    xml.maybe(REQUESTED_AUTHN_CONTEXT),
    xml.maybe(SCOPING),
)
_SUBJECT: Final = xml.Shape(xml.several(BASE_ID, NAME_ID, ENCRYPTED_ID, most=1), xml.several(SUBJECT_CONFIRMATION))
_CONTEXT: Final = xml.Shape(xml.several(CLASS_REF), xml.several(DECLARATION_REF))
_SCOPING: Final = xml.Shape(xml.maybe(IDP_LIST), xml.several(REQUESTER_ID))
_IDP_LIST: Final = xml.Shape(xml.several(IDP_ENTRY, least=1), xml.maybe(GET_COMPLETE))
_COMPARISONS: Final = frozenset({"exact", "minimum", "maximum", "better"})


def read(element: etree._Element) -> AuthnRequest:
    """An AuthnRequest from its element. Raises `Malformed`. Extensions are legal and not looked into."""
    xml.expect(element, AUTHN_REQUEST)
    content = _REQUEST.read(element)
    return AuthnRequest(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        destination=element.get("Destination"),
        assertion_consumer_service_url=element.get("AssertionConsumerServiceURL"),
        assertion_consumer_service_index=xml.unsigned_short(element, "AssertionConsumerServiceIndex"),
        attribute_consuming_service_index=xml.unsigned_short(element, "AttributeConsumingServiceIndex"),
        protocol_binding=element.get("ProtocolBinding"),
        name_id_policy=_read_policy(content.only(NAME_ID_POLICY)) if NAME_ID_POLICY in content else None,
        requested_authn_context=_read_context(content.only(REQUESTED_AUTHN_CONTEXT))
        if REQUESTED_AUTHN_CONTEXT in content
        else None,
        scoping=_read_scoping(content.only(SCOPING)) if SCOPING in content else None,
        subject=_read_subject(content.only(SUBJECT)) if SUBJECT in content else None,
        has_conditions=CONDITIONS in content,
        force_authn=xml.boolean(element, "ForceAuthn") or False,
        is_passive=xml.boolean(element, "IsPassive") or False,
        provider_name=element.get("ProviderName"),
        consent=element.get("Consent"),
    )


def _read_policy(element: etree._Element) -> NameIDPolicy:
    return NameIDPolicy(
        format=element.get("Format"),
        sp_name_qualifier=element.get("SPNameQualifier"),
        allow_create=xml.boolean(element, "AllowCreate") or False,
    )


def _read_context(element: etree._Element) -> RequestedAuthnContext:
    content = _CONTEXT.read(element)
    comparison = element.get("Comparison", "exact")
    if comparison not in _COMPARISONS:
        raise Malformed("request.comparison", "an unknown Comparison of authentication contexts")
    class_refs, declaration_refs = content.all(CLASS_REF), content.all(DECLARATION_REF)
    if class_refs and declaration_refs:
        raise Malformed("request.authn_context", "both classes and declarations of authentication contexts")
    return RequestedAuthnContext(
        class_refs=tuple(xml.uri(child) for child in class_refs),
        comparison=comparison,
        declaration_refs=tuple(xml.uri(child) for child in declaration_refs),
    )


def _read_scoping(element: etree._Element) -> Scoping:
    content = _SCOPING.read(element)
    idp_list = content.first(IDP_LIST)
    entries = () if idp_list is None else _IDP_LIST.read(idp_list).all(IDP_ENTRY)
    return Scoping(
        proxy_count=xml.non_negative(element, "ProxyCount"),
        idp_list=tuple(xml.required(entry, "ProviderID") for entry in entries),
        requester_ids=tuple(xml.uri(child) for child in content.all(REQUESTER_ID)),
    )


def _read_subject(element: etree._Element) -> NameID | None:
    """The NameID, where it is a plain one: `subject_of` finds what else a Subject may be (SAML Core 2.4.1)."""
    content = _SUBJECT.read(element)
    if not len(element):
        raise Malformed("request.subject", "the Subject of an AuthnRequest is empty")
    name_id = content.first(NAME_ID)
    return None if name_id is None else read_name_id(name_id)


def subject_of(element: etree._Element) -> tuple[etree._Element | None, bool]:
    """The identifier in a request's Subject, whatever its kind, and whether the Subject holds a SubjectConfirmation."""
    subject = next(element.iterchildren(SUBJECT), None)
    if subject is None:
        return None, False
    children = list(subject)
    identifier = next((child for child in children if child.tag in (BASE_ID, NAME_ID, ENCRYPTED_ID)), None)
    return identifier, any(child.tag == SUBJECT_CONFIRMATION for child in children)


def write(request: AuthnRequest) -> xml.Element:
    """An element for the request, in schema order."""
    element = xml.new(
        AUTHN_REQUEST,
        {
            "ID": request.id,
            "Version": "2.0",
            "IssueInstant": format_instant(request.issue_instant),
            "Destination": request.destination,
            "Consent": request.consent,
            "ForceAuthn": "true" if request.force_authn else None,
            "IsPassive": "true" if request.is_passive else None,
            "AssertionConsumerServiceURL": request.assertion_consumer_service_url,
            "AssertionConsumerServiceIndex": _number(request.assertion_consumer_service_index),
            "AttributeConsumingServiceIndex": _number(request.attribute_consuming_service_index),
            "ProtocolBinding": request.protocol_binding,
            "ProviderName": request.provider_name,
        },
    )
    xml.add(element, ISSUER, request.issuer)
    if request.subject is not None:
        write_name_id(xml.add(element, SUBJECT), request.subject)
    policy = request.name_id_policy
    if policy is not None:
        attributes = {"Format": policy.format, "SPNameQualifier": policy.sp_name_qualifier}
        xml.add(element, NAME_ID_POLICY, None, attributes | {"AllowCreate": "true" if policy.allow_create else None})
    context = request.requested_authn_context
    if context is not None:
        holder = xml.add(element, REQUESTED_AUTHN_CONTEXT, None, {"Comparison": context.comparison})
        for class_ref in context.class_refs:
            xml.add(holder, CLASS_REF, class_ref)
        for declaration_ref in context.declaration_refs:
            xml.add(holder, DECLARATION_REF, declaration_ref)
    if request.scoping is not None:
        _write_scoping(element, request.scoping)
    return element


def _write_scoping(element: xml.Element, scoping: Scoping) -> None:
    holder = xml.add(element, SCOPING, None, {"ProxyCount": _number(scoping.proxy_count)})
    if scoping.idp_list:
        idp_list = xml.add(holder, IDP_LIST)
        for provider_id in scoping.idp_list:
            xml.add(idp_list, IDP_ENTRY, None, {"ProviderID": provider_id})
    for requester_id in scoping.requester_ids:
        xml.add(holder, REQUESTER_ID, requester_id)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
