"""Reading the roles of an entity: IDPSSODescriptor and SPSSODescriptor (SAML Metadata 2.4.3, 2.4.4).

Children are found by name, not by position: metadata whose elements stand out of order is read all the same, and what
is unknown is left alone (IIP-MD05).
"""

from __future__ import annotations

import re
from typing import Any, Final

from lxml.etree import _Element

from federation.saml.metadata.elements import boolean, children, index_of, language_pairs, text_of, texts, valid_until
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    Endpoint,
    IdPRole,
    RequestedAttribute,
    SigningMethod,
    SPRole,
)
from federation.saml.metadata.findings import Findings, Level, quoted
from federation.saml.metadata.keys import read_key
from federation.saml.metadata.locations import problem_of_location
from federation.saml.metadata.presentation import links, read_ui_info
from federation.saml.names import ALG, IDPDISC, MD, REQINIT, SAML, SHIBMD

_SCOPE = re.compile(r"[a-z0-9][a-z0-9.-]{0,253}", re.ASCII)
_BITS = re.compile(r"[0-9]{1,6}", re.ASCII)
_EXTENSION_ENDPOINTS: Final = (f"{{{IDPDISC}}}DiscoveryResponse", f"{{{REQINIT}}}RequestInitiator")

Parts = dict[str, list[_Element]]


def read_idp_role(element: _Element, entity_extensions: list[_Element], findings: Findings) -> IdPRole:
    """Read an IDPSSODescriptor. Scopes and algorithms may also stand at the entity. Raises `Malformed` (validUntil)."""
    parts = children(element)
    return IdPRole(
        **_common(element, parts, entity_extensions, findings),
        single_sign_on=read_endpoints(parts, "SingleSignOnService", findings),
        want_authn_requests_signed=boolean(element, "WantAuthnRequestsSigned", findings) or False,
        scopes=_scopes([*parts.get(f"{{{MD}}}Extensions", []), *entity_extensions], findings),
    )


def read_sp_role(element: _Element, entity_extensions: list[_Element], findings: Findings) -> SPRole:
    """Read an SPSSODescriptor. Raises `Malformed` (validUntil)."""
    parts = children(element)
    return SPRole(
        **_common(element, parts, entity_extensions, findings),
        assertion_consumer=read_endpoints(parts, "AssertionConsumerService", findings, indexed=True),
        authn_requests_signed=boolean(element, "AuthnRequestsSigned", findings) or False,
        want_assertions_signed=boolean(element, "WantAssertionsSigned", findings) or False,
        attribute_consuming=_attribute_consuming(parts.get(f"{{{MD}}}AttributeConsumingService", []), findings),
    )


def read_endpoints(parts: Parts, name: str, findings: Findings, *, indexed: bool = False) -> tuple[Endpoint, ...]:
    """Read the endpoints of one kind. One that nobody may be sent to is left out, with an error among the findings."""
    endpoints = []
    seen: set[int] = set()
    for element in parts.get(f"{{{MD}}}{name}", []):
        endpoint = _endpoint(element, name, findings, indexed=indexed)
        if endpoint is None:
            continue
        if endpoint.index is not None and endpoint.index in seen:
            message = f"index {endpoint.index} is used twice: it means the first {name}"
            findings.add("metadata.index.duplicate", Level.WARNING, message, "SAML Metadata 2.2.3", place=name)
            endpoint = Endpoint(endpoint.binding, endpoint.location, endpoint.response_location)
        elif endpoint.index is not None:
            seen.add(endpoint.index)
        endpoints.append(endpoint)
    return tuple(endpoints)


def _endpoint(element: _Element, name: str, findings: Findings, *, indexed: bool) -> Endpoint | None:
    binding, location = element.get("Binding", "").strip(), element.get("Location", "").strip()
    response_location = element.get("ResponseLocation")
    if response_location is not None:
        response_location = response_location.strip()
    for url in (location, response_location):
        problem = None if url is None else problem_of_location(url)
        if problem is not None:
            message = f"the {name} at {quoted(url or '')} {problem}"
            findings.add("metadata.endpoint.location", Level.ERROR, message, "SAML Metadata 2.2.2", place=name)
            return None
    if not binding:
        message = f"the {name} at {quoted(location)} names no binding"
        findings.add("metadata.endpoint.binding", Level.WARNING, message, "SAML Metadata 2.2.2", place=name)
        return None
    return Endpoint(
        binding=binding,
        location=location,
        response_location=response_location,
        index=index_of(element, findings, place=name) if indexed else None,
        is_default=boolean(element, "isDefault", findings) if indexed else None,
    )


def _common(element: _Element, parts: Parts, entity_extensions: list[_Element], findings: Findings) -> dict[str, Any]:
    """The fields that both roles have."""
    extensions = parts.get(f"{{{MD}}}Extensions", [])
    error_urls = links((("", element.get("errorURL", "")),), "errorURL", findings) if element.get("errorURL") else ()
    return {
        "keys": tuple(
            key for child in parts.get(f"{{{MD}}}KeyDescriptor", []) if (key := read_key(child, findings)) is not None
        ),
        "valid_until": valid_until(element),
        "error_url": error_urls[0][1] if error_urls else None,
        "single_logout": read_endpoints(parts, "SingleLogoutService", findings),
        "artifact_resolution": read_endpoints(parts, "ArtifactResolutionService", findings, indexed=True),
        "name_id_formats": texts(parts.get(f"{{{MD}}}NameIDFormat", [])),
        "ui_info": read_ui_info(extensions, findings),
        "signing_methods": tuple(
            SigningMethod(child.get("Algorithm", ""), _bits(child, "MinKeySize"), _bits(child, "MaxKeySize"))
            for child in _algorithms("SigningMethod", extensions, entity_extensions)
        ),
        "digest_algorithms": tuple(
            child.get("Algorithm", "") for child in _algorithms("DigestMethod", extensions, entity_extensions)
        ),
        "extension_endpoints": tuple(
            (name, endpoint)
            for tag in _EXTENSION_ENDPOINTS
            for extension in extensions
            for child in extension.iterchildren(tag)
            for name in (tag.rpartition("}")[2],)
            if (endpoint := _endpoint(child, name, findings, indexed=name == "DiscoveryResponse")) is not None
        ),
    }


def _algorithms(name: str, role: list[_Element], entity: list[_Element]) -> list[_Element]:
    """Algorithm support in order of preference; what the role says replaces what the entity says (ALG 2.3)."""
    for extensions in (role, entity):
        children = (child for extension in extensions for child in extension.iterchildren(f"{{{ALG}}}{name}"))
        found = [child for child in children if child.get("Algorithm")]
        if found:
            return found
    return []


def _bits(element: _Element, name: str) -> int | None:
    """A bound of key sizes; one that is no number bounds nothing."""
    text = element.get(name, "").strip()
    return int(text) if _BITS.fullmatch(text) else None


def _scopes(extensions: list[_Element], findings: Findings) -> tuple[str, ...]:
    """Literal scopes in lower case. Regular expressions are not used: they widen trust in ways nobody can read."""
    scopes: dict[str, None] = {}
    for extension in extensions:
        for child in extension.iterchildren(f"{{{SHIBMD}}}Scope"):
            scope = text_of(child).lower()
            if boolean(child, "regexp", findings) or not _SCOPE.fullmatch(scope):
                message = f"the scope {quoted(scope)} is a regular expression or no domain, and is not used"
                findings.add("metadata.scope", Level.WARNING, message, "SDP-IDP14", place="Scope")
            else:
                scopes[scope] = None
    return tuple(scopes)


def _attribute_consuming(elements: list[_Element], findings: Findings) -> tuple[AttributeConsumingService, ...]:
    services = []
    seen: set[int] = set()
    for element in elements:
        index = index_of(element, findings, place="AttributeConsumingService")
        index = index if index is not None else _free_index(seen)
        if index in seen:
            message = f"index {index} is used twice: it means the first AttributeConsumingService"
            findings.add("metadata.index.duplicate", Level.WARNING, message, "SAML Metadata 2.4.4.1")
            continue
        seen.add(index)
        parts = children(element)
        requested = (_requested(child, findings) for child in parts.get(f"{{{MD}}}RequestedAttribute", []))
        services.append(
            AttributeConsumingService(
                index=index,
                is_default=boolean(element, "isDefault", findings),
                names=language_pairs(parts.get(f"{{{MD}}}ServiceName", [])),
                requested=tuple(attribute for attribute in requested if attribute is not None),
            )
        )
    return tuple(services)


def _requested(element: _Element, findings: Findings) -> RequestedAttribute | None:
    """One RequestedAttribute. A malformed one is skipped and noted, and never blocks the rest."""
    name = element.get("Name", "").strip()
    values = list(element.iterchildren(f"{{{SAML}}}AttributeValue"))
    if not name or any(len(value) for value in values):
        message = "a RequestedAttribute without a name, or with a structured value, was skipped"
        findings.add("metadata.requested_attribute", Level.WARNING, message, "SAML Metadata 2.4.4.2")
        return None
    return RequestedAttribute(
        name=name,
        name_format=element.get("NameFormat"),
        friendly_name=element.get("FriendlyName"),
        is_required=boolean(element, "isRequired", findings) or False,
        values=texts(values),
    )


def _free_index(taken: set[int]) -> int:
    return next(index for index in range(65536) if index not in taken)
