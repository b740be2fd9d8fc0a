"""An entity as its metadata describes it (SAML Metadata 2.3 and 2.4), as frozen values.

Everything that a profile needs to know about a partner comes from here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class EncryptionMethod:
    """What one may encrypt with to a key (SAML Metadata 2.4.1.1; Algorithm Support 2.5): a URI for content or its key.

    `digests` and `masks` are what the partner takes as hash and mask generation of OAEP, in its order.
    """

    algorithm: str
    digests: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


class SigningMethod(NamedTuple):
    """A signature algorithm that an entity verifies, with the sizes of keys in bits (Algorithm Support 2.4)."""

    algorithm: str
    min_key_size: int | None = None
    max_key_size: int | None = None

    def takes(self, bits: int) -> bool:
        """Whether a key of this size will do."""
        return (self.min_key_size or 0) <= bits and (self.max_key_size is None or bits <= self.max_key_size)


@dataclass(frozen=True, slots=True)
class KeyDescriptor:
    """A key of a role (SAML Metadata 2.4.1.1). The key is the whole trust statement: a certificate only holds it.

    `use` is signing, encryption, or None for both. `certificate` is DER, or None when the document gave a bare
    KeyValue. `public_key` is DER SubjectPublicKeyInfo. `encryption_methods` are in the partner's order of preference.
    """

    use: str | None
    public_key: bytes = field(repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    encryption_methods: tuple[EncryptionMethod, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a role receives messages (SAML Metadata 2.2.2, 2.2.3). `index` and `is_default` only for indexed ones."""

    binding: str
    location: str
    response_location: str | None = None
    index: int | None = None
    is_default: bool | None = None


@dataclass(frozen=True, slots=True)
class RequestedAttribute:
    """An attribute that an SP asks for (SAML Metadata 2.4.4.2). No values means any value."""

    name: str
    name_format: str | None = None
    friendly_name: str | None = None
    is_required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeConsumingService:
    """A set of attributes that an SP asks for (SAML Metadata 2.4.4.1). `names` maps language to service name."""

    index: int
    is_default: bool | None
    names: tuple[tuple[str, str], ...]
    requested: tuple[RequestedAttribute, ...]


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture of the entity (mdui 2.1.5). `url` is https or an inline data image."""

    url: str
    height: int
    width: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class UIInfo:
    """How to present a role to people (mdui 2.1). Texts are pairs of language and value, hostile until escaped."""

    display_names: tuple[tuple[str, str], ...] = ()
    descriptions: tuple[tuple[str, str], ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    information_urls: tuple[tuple[str, str], ...] = ()
    privacy_statement_urls: tuple[tuple[str, str], ...] = ()
    logos: tuple[Logo, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """A person to write to (SAML Metadata 2.3.2.2). `remd_type` is the REFEDS type, for instance security."""

    type: str
    given_name: str | None = None
    sur_name: str | None = None
    company: str | None = None
    emails: tuple[str, ...] = ()
    telephones: tuple[str, ...] = ()
    remd_type: str | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation behind an entity (SAML Metadata 2.3.2.1); pairs of language and value."""

    names: tuple[tuple[str, str], ...] = ()
    display_names: tuple[tuple[str, str], ...] = ()
    urls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """What every SAML 2.0 role has in common (SAML Metadata 2.4.1, 2.4.2)."""

    keys: tuple[KeyDescriptor, ...] = ()
    valid_until: datetime | None = None
    error_url: str | None = None
    single_logout: tuple[Endpoint, ...] = ()
    artifact_resolution: tuple[Endpoint, ...] = ()
    name_id_formats: tuple[str, ...] = ()
    ui_info: UIInfo = UIInfo()
    signing_methods: tuple[SigningMethod, ...] = ()
    digest_algorithms: tuple[str, ...] = ()
    extension_endpoints: tuple[tuple[str, Endpoint], ...] = ()

    @property
    def signing_algorithms(self) -> tuple[str, ...]:
        """The signature algorithms that it lists, in its order of preference, whatever the size of the key."""
        return tuple(method.algorithm for method in self.signing_methods)

    @property
    def signing_keys(self) -> tuple[KeyDescriptor, ...]:
        """The keys that may sign for this role; without `use` a key counts for both (IIP-MD11)."""
        return tuple(key for key in self.keys if key.use in (None, "signing"))

    @property
    def encryption_keys(self) -> tuple[KeyDescriptor, ...]:
        """The keys one may encrypt to for this role; without `use` a key counts for both (IIP-MD11)."""
        return tuple(key for key in self.keys if key.use in (None, "encryption"))


@dataclass(frozen=True, slots=True)
class IdPRole(Role):
    """IDPSSODescriptor (SAML Metadata 2.4.3)."""

    single_sign_on: tuple[Endpoint, ...] = ()
    want_authn_requests_signed: bool = False
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SPRole(Role):
    """SPSSODescriptor (SAML Metadata 2.4.4)."""

    assertion_consumer: tuple[Endpoint, ...] = ()
    authn_requests_signed: bool = False
    want_assertions_signed: bool = False
    attribute_consuming: tuple[AttributeConsumingService, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """One EntityDescriptor (SAML Metadata 2.3.2).

    `valid_until` is the earliest of its own and its enclosing elements'. `attributes` are the entity attributes, name
    to values. `registration_authority` is from mdrpi. `other_roles` names the local parts of roles we do not use.
    """

    entity_id: str
    idp: IdPRole | None = None
    sp: SPRole | None = None
    valid_until: datetime | None = None
    cache_duration: timedelta | None = None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    organization: Organization | None = None
    contacts: tuple[Contact, ...] = ()
    registration_authority: str | None = None
    other_roles: tuple[str, ...] = ()

    def attribute(self, name: str) -> tuple[str, ...]:
        """All values of one entity attribute, in document order."""
        return tuple(value for key, values in self.attributes if key == name for value in values)

    def display_name(self, language: str = "en") -> str:
        """The name to show people: UIInfo, then Organization, then the entityID itself."""
        candidates = [role.ui_info.display_names for role in (self.idp, self.sp) if role is not None]
        if self.organization is not None:
            candidates.append(self.organization.display_names)
        for names in candidates:
            by_language = dict(names)
            if names:
                return by_language.get(language) or names[0][1]
        return self.entity_id
