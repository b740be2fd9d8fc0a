"""Writing the roles of an entity (SAML Metadata 2.4), with pysaml2's element classes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from saml2 import ExtensionElement, SamlBase, element_to_extension_element, md, saml, xmldsig
from saml2.extension import algsupport, idpdisc, mdui, reqinit, shibmd

from federation.saml import times
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    EncryptionMethod,
    Endpoint,
    IdPRole,
    KeyDescriptor,
    RequestedAttribute,
    Role,
    SPRole,
    UIInfo,
)
from federation.saml.names import DS, DSIG11, SAMLP, XENC11


def idp_descriptor(role: IdPRole) -> md.IDPSSODescriptor:
    """An IDPSSODescriptor (SAML Metadata 2.4.3)."""
    scopes = [shibmd.Scope(text=scope, regexp="false") for scope in role.scopes]
    return md.IDPSSODescriptor(
        **_common(role, scopes),
        want_authn_requests_signed=_boolean(role.want_authn_requests_signed),
        single_sign_on_service=[_endpoint(md.SingleSignOnService, endpoint) for endpoint in role.single_sign_on],
    )


def sp_descriptor(role: SPRole) -> md.SPSSODescriptor:
    """An SPSSODescriptor (SAML Metadata 2.4.4)."""
    return md.SPSSODescriptor(
        **_common(role, []),
        authn_requests_signed=_boolean(role.authn_requests_signed),
        want_assertions_signed=_boolean(role.want_assertions_signed),
        assertion_consumer_service=[
            _endpoint(md.AssertionConsumerService, endpoint) for endpoint in role.assertion_consumer
        ],
        attribute_consuming_service=[_attribute_consuming(service) for service in role.attribute_consuming],
    )


def _common(role: Role, more_extensions: list[SamlBase]) -> dict[str, Any]:
    elements = [*more_extensions, *_extension_endpoints(role), *_ui_info(role.ui_info), *_algorithms(role)]
    wrapped = [element_to_extension_element(element) for element in elements]
    return {
        "protocol_support_enumeration": SAMLP,
        "valid_until": times.format_instant(role.valid_until) if role.valid_until is not None else None,
        "error_url": role.error_url,
        "extensions": md.Extensions(extension_elements=wrapped) if wrapped else None,
        "key_descriptor": [_key_descriptor(key) for key in role.keys],
        "artifact_resolution_service": [
            _endpoint(md.ArtifactResolutionService, endpoint) for endpoint in role.artifact_resolution
        ],
        "single_logout_service": [_endpoint(md.SingleLogoutService, endpoint) for endpoint in role.single_logout],
        "name_id_format": [md.NameIDFormat(text=name) for name in role.name_id_formats],
    }


def _key_descriptor(key: KeyDescriptor) -> md.KeyDescriptor:
    return md.KeyDescriptor(
        use=key.use,
        key_info=_key_info(key),
        encryption_method=[_encryption_method(method) for method in key.encryption_methods],
    )


def _encryption_method(method: EncryptionMethod) -> md.EncryptionMethod:
    """One md:EncryptionMethod, with what its OAEP takes (Algorithm Support 2.5)."""
    parameters = [("DigestMethod", DS, uri) for uri in method.digests] + [("MGF", XENC11, uri) for uri in method.masks]
    return md.EncryptionMethod(
        algorithm=method.algorithm,
        extension_elements=[
            ExtensionElement(name, namespace=namespace, attributes={"Algorithm": uri})
            for name, namespace, uri in parameters
        ],
    )


def _key_info(key: KeyDescriptor) -> xmldsig.KeyInfo:
    """The certificate where there is one (SDP-MD05), else the bare key: RSA by its numbers, any other as DER."""
    if key.certificate is not None:
        certificate = xmldsig.X509Certificate(text=_base64(key.certificate))
        return xmldsig.KeyInfo(x509_data=[xmldsig.X509Data(x509_certificate=[certificate])])
    public_key = load_der_public_key(key.public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        value = xmldsig.RSAKeyValue(
            modulus=xmldsig.Modulus(text=_base64(_octets(numbers.n))),
            exponent=xmldsig.Exponent(text=_base64(_octets(numbers.e))),
        )
        return xmldsig.KeyInfo(key_value=[xmldsig.KeyValue(rsa_key_value=value)])
    encoded = ExtensionElement("DEREncodedKeyValue", namespace=DSIG11, text=_base64(key.public_key))
    return xmldsig.KeyInfo(extension_elements=[encoded])


def _endpoint(kind: type[SamlBase], endpoint: Endpoint) -> SamlBase:
    attributes = {
        "binding": endpoint.binding,
        "location": endpoint.location,
        "response_location": endpoint.response_location,
    }
    if endpoint.index is not None:
        attributes["index"] = str(endpoint.index)
    if endpoint.is_default is not None:
        attributes["is_default"] = _boolean(endpoint.is_default)
    return kind(**attributes)


def _extension_endpoints(role: Role) -> Iterator[SamlBase]:
    kinds = {"DiscoveryResponse": idpdisc.DiscoveryResponse, "RequestInitiator": reqinit.RequestInitiator}
    for name, endpoint in role.extension_endpoints:
        yield _endpoint(kinds[name], endpoint)


def _ui_info(info: UIInfo) -> Iterator[mdui.UIInfo]:
    if info == UIInfo():
        return
    yield mdui.UIInfo(
        display_name=[mdui.DisplayName(lang=lang, text=text) for lang, text in info.display_names],
        description=[mdui.Description(lang=lang, text=text) for lang, text in info.descriptions],
        keywords=[mdui.Keywords(lang=lang, text=text) for lang, text in info.keywords],
        information_url=[mdui.InformationURL(lang=lang, text=url) for lang, url in info.information_urls],
        privacy_statement_url=[
            mdui.PrivacyStatementURL(lang=lang, text=url) for lang, url in info.privacy_statement_urls
        ],
        logo=[
            mdui.Logo(lang=logo.language, height=str(logo.height), width=str(logo.width), text=logo.url)
            for logo in info.logos
        ],
    )


def _algorithms(role: Role) -> Iterator[SamlBase]:
    for algorithm in role.digest_algorithms:
        yield algsupport.DigestMethod(algorithm=algorithm)
    for method in role.signing_methods:
        sizes = [None if size is None else str(size) for size in method[1:]]
        yield algsupport.SigningMethod(algorithm=method.algorithm, min_key_size=sizes[0], max_key_size=sizes[1])


def _attribute_consuming(service: AttributeConsumingService) -> md.AttributeConsumingService:
    return md.AttributeConsumingService(
        index=str(service.index),
        is_default=_boolean(service.is_default) if service.is_default is not None else None,
        service_name=[md.ServiceName(lang=lang, text=text) for lang, text in service.names],
        requested_attribute=[_requested(attribute) for attribute in service.requested],
    )


def _requested(attribute: RequestedAttribute) -> md.RequestedAttribute:
    values = [saml.AttributeValue(text=value) for value in attribute.values]
    for value in values:
        value.extension_attributes = {}
    return md.RequestedAttribute(
        name=attribute.name,
        name_format=attribute.name_format,
        friendly_name=attribute.friendly_name,
        is_required=_boolean(attribute.is_required) if attribute.is_required else None,
        attribute_value=values,
    )


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
