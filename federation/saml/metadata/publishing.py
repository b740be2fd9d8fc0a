"""Our own metadata: complete by SDP-IDP33 and SDP-SP39, in schema order, signed, and nothing in it that does not work.

The entity is first made as a value and then written, so what we publish can be read back and compared like a partner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.errors import ConfigurationError
from federation.saml import certificates, encryption, signature, xml
from federation.saml.algorithms import (
    DATA_ALGORITHMS,
    DEFAULT_ALGORITHMS,
    DIGEST_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
    Algorithms,
)
from federation.saml.codec import metadata as codec
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    Contact,
    EncryptionMethod,
    Endpoint,
    Entity,
    IdPRole,
    KeyDescriptor,
    Logo,
    Organization,
    RequestedAttribute,
    SigningMethod,
    SPRole,
    UIInfo,
)
from federation.saml.metadata.locations import is_entity_id, is_logo, is_secure, problem_of_location
from federation.saml.names import MD, MDRPI, SUBJECT_ID_REQ, Binding, NameIDFormat
from federation.saml.times import format_instant

DEFAULT_VALIDITY: Final = timedelta(days=21)
"""How far ahead validUntil is: well within the four weeks that stock software and federations accept at most."""
DEFAULT_CACHE_DURATION: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a site presents itself to people (SDP-MD09 to 12). Texts are in `language`; contacts' e-mails are plain."""

    display_name: str
    description: str | None = None
    information_url: str | None = None
    privacy_statement_url: str | None = None
    logos: tuple[Logo, ...] = ()
    organization: Organization | None = None
    contacts: tuple[Contact, ...] = ()
    language: str = "en"

    @property
    def ui_info(self) -> UIInfo:
        """The same as UIInfo."""
        return UIInfo(
            display_names=((self.language, self.display_name),),
            descriptions=self._pairs(self.description),
            information_urls=self._pairs(self.information_url),
            privacy_statement_urls=self._pairs(self.privacy_statement_url),
            logos=self.logos,
        )

    def _pairs(self, text: str | None) -> tuple[tuple[str, str], ...]:
        return ((self.language, text),) if text else ()


def idp_entity(
    *,
    entity_id: str,
    presentation: Presentation,
    sso_url: str,
    signing_certificates: Sequence[bytes],
    scopes: Sequence[str],
    encryption_certificates: Sequence[bytes] = (),
    error_url: str | None = None,
    sso_bindings: Sequence[str] = (Binding.REDIRECT, Binding.POST),
    single_logout: Sequence[Endpoint] = (),
    artifact_resolution: Sequence[Endpoint] = (),
    name_id_formats: Sequence[str] = (NameIDFormat.TRANSIENT,),
    want_authn_requests_signed: bool = False,
    entity_attributes: Mapping[str, Sequence[str]] | None = None,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> Entity:
    """Our own IdP as an entity (SDP-IDP33). Certificates are DER, the current one first;
    `algorithms` what this site allows, which is what it publishes.

    Raises `ConfigurationError`, which lists every mistake: no identifier, no signing key, a URL nobody may be sent to.
    """
    role = IdPRole(
        keys=_keys(signing_certificates, encryption_certificates, algorithms),
        error_url=error_url,
        single_logout=tuple(single_logout),
        artifact_resolution=tuple(artifact_resolution),
        name_id_formats=tuple(name_id_formats),
        ui_info=presentation.ui_info,
        signing_methods=tuple(SigningMethod(uri) for uri in SIGNATURE_ALGORITHMS if uri in algorithms.signature),
        digest_algorithms=tuple(uri for uri in DIGEST_ALGORITHMS if uri in algorithms.digest),
        single_sign_on=tuple(Endpoint(binding, sso_url) for binding in sso_bindings),
        want_authn_requests_signed=want_authn_requests_signed,
        scopes=tuple(scope.lower() for scope in scopes),
    )
    entity = _entity(entity_id, presentation, entity_attributes or {}, idp=role)
    _demand_sound(entity, role, [] if role.signing_keys else ["an IdP needs a signing certificate"])
    return entity


def sp_entity(
    *,
    entity_id: str,
    presentation: Presentation,
    acs_url: str,
    signing_certificates: Sequence[bytes],
    encryption_certificates: Sequence[bytes],
    requested: Sequence[RequestedAttribute] = (),
    subject_identifier: str = "pairwise-id",
    acs_bindings: Sequence[str] = (Binding.POST,),
    single_logout: Sequence[Endpoint] = (),
    artifact_resolution: Sequence[Endpoint] = (),
    extension_endpoints: Sequence[tuple[str, Endpoint]] = (),
    name_id_formats: Sequence[str] = (NameIDFormat.TRANSIENT,),
    authn_requests_signed: bool = True,
    want_assertions_signed: bool = False,
    entity_attributes: Mapping[str, Sequence[str]] | None = None,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> Entity:
    """Our own SP as an entity (SDP-SP39). `subject_identifier` is pairwise-id, subject-id, any or none (SDP-SP15).

    `extension_endpoints` are pairs of DiscoveryResponse or RequestInitiator and the endpoint. Certificates are DER;
    `algorithms` what this site allows, which is what it publishes.

    Raises `ConfigurationError`, which lists every mistake.
    """
    names = ((presentation.language, presentation.display_name),)
    service = AttributeConsumingService(1, True, names, tuple(requested))
    role = SPRole(
        keys=_keys(signing_certificates, encryption_certificates, algorithms),
        single_logout=tuple(single_logout),
        artifact_resolution=tuple(artifact_resolution),
        name_id_formats=tuple(name_id_formats),
        ui_info=presentation.ui_info,
        signing_methods=tuple(SigningMethod(uri) for uri in SIGNATURE_ALGORITHMS if uri in algorithms.signature),
        digest_algorithms=tuple(uri for uri in DIGEST_ALGORITHMS if uri in algorithms.digest),
        extension_endpoints=tuple(extension_endpoints),
        assertion_consumer=tuple(
            Endpoint(binding, acs_url, index=index, is_default=index == 1 or None)
            for index, binding in enumerate(acs_bindings, start=1)
        ),
        authn_requests_signed=authn_requests_signed,
        want_assertions_signed=want_assertions_signed,
        attribute_consuming=(service,) if requested else (),
    )
    attributes = {SUBJECT_ID_REQ: (subject_identifier,), **(entity_attributes or {})}
    entity = _entity(entity_id, presentation, attributes, sp=role)
    _demand_sound(entity, role, [])
    return entity


def publish(
    entity: Entity,
    *,
    signing_key: signature.SigningKey,
    document_id: str,
    now: datetime,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
) -> bytes:
    """Write and sign an entity's metadata, valid for `validity` from `now`. `document_id` is an NCName, always new.

    It says when it was published (MDRPI 2.2), so that whoever follows it takes no older one for a newer.
    """
    dated = replace(entity, valid_until=now + validity, cache_duration=cache_duration)
    root = xml.parse(codec.entity_descriptor(dated, document_id=document_id))
    extensions = root.find(f"{{{MD}}}Extensions")
    if extensions is None:
        extensions = etree.Element(f"{{{MD}}}Extensions")
        root.insert(0, extensions)
    about = {"publisher": entity.entity_id, "creationInstant": format_instant(now)}
    extensions.insert(0, etree.Element(f"{{{MDRPI}}}PublicationInfo", about, nsmap={"mdrpi": MDRPI}))
    signature.sign(root, key=signing_key)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.serialise(root) + b"\n"


def _entity(
    entity_id: str,
    presentation: Presentation,
    attributes: Mapping[str, Sequence[str]],
    *,
    idp: IdPRole | None = None,
    sp: SPRole | None = None,
) -> Entity:
    return Entity(
        entity_id=entity_id,
        idp=idp,
        sp=sp,
        attributes=tuple((name, tuple(values)) for name, values in attributes.items()),
        organization=presentation.organization,
        contacts=presentation.contacts,
    )


def _keys(
    for_signing: Sequence[bytes], for_encryption: Sequence[bytes], algorithms: Algorithms
) -> tuple[KeyDescriptor, ...]:
    """One KeyDescriptor per use and certificate, with the encryption methods that we can decrypt (IIP-MD09)."""
    known, ours = (*DATA_ALGORITHMS, *KEY_TRANSPORT_ALGORITHMS), algorithms.data | algorithms.key_transport
    methods = tuple(EncryptionMethod(uri) for uri in known if uri in ours)
    return (
        *(KeyDescriptor("signing", certificates.public_key_of(der), der) for der in for_signing),
        *(KeyDescriptor("encryption", certificates.public_key_of(der), der, methods) for der in for_encryption),
    )


def _demand_sound(entity: Entity, role: IdPRole | SPRole, problems: list[str]) -> None:
    """Refuse to publish what our own reader would refuse in a partner's metadata. Raises `ConfigurationError`."""
    if not is_entity_id(entity.entity_id):
        problems.append(f"the entityID {entity.entity_id!r} must be an absolute URI of at most 256 characters")
    if not all(encryption.suits(key) for key in role.keys if key.use == "encryption"):
        problems.append("an encryption certificate must hold an RSA key of at least 2048 bits")
    problems += [
        f"the logo {logo.url[:80]!r} must be https or an inline image"
        for logo in role.ui_info.logos
        if not is_logo(logo.url)
    ]
    own = role.single_sign_on if isinstance(role, IdPRole) else role.assertion_consumer
    others = (*role.single_logout, *role.artifact_resolution, *(endpoint for _, endpoint in role.extension_endpoints))
    for endpoint in (*own, *others):
        problem = problem_of_location(endpoint.location)
        if problem is not None:
            problems.append(f"the endpoint {endpoint.location!r} {problem}")
        elif not is_secure(endpoint.location, allow_http_loopback=True):
            problems.append(f"the endpoint {endpoint.location!r} must be https")
    if problems:
        raise ConfigurationError(*dict.fromkeys(problems))
