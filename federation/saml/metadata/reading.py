"""Reading metadata documents into entities (SAML Metadata 2.3).

Tolerant where the standard says so: unknown extensions, other protocols' roles, elements out of order and a single bad
key or requested attribute never break anything; each leaves a finding. Strict where trust depends on it: a validity
that cannot be read, or an entity without an identifier, makes the document malformed.

Nothing is verified here. `metadata.trust` decides whether a document may be used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from lxml.etree import _Element

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.metadata.elements import cache_duration, children, text_of, valid_until
from federation.saml.metadata.entity import Entity, IdPRole, SPRole
from federation.saml.metadata.findings import Finding, Findings, Level, quoted
from federation.saml.metadata.presentation import read_contact, read_organization
from federation.saml.metadata.roles import read_idp_role, read_sp_role
from federation.saml.names import MD, MDATTR, MDRPI, SAML, SAMLP

ENTITY: Final = f"{{{MD}}}EntityDescriptor"
ENTITIES: Final = f"{{{MD}}}EntitiesDescriptor"
EXTENSIONS: Final = f"{{{MD}}}Extensions"
MAX_DOCUMENT: Final = 1_048_576
_NOT_ROLES: Final = frozenset(
    f"{{{MD}}}{name}" for name in ("Extensions", "Organization", "ContactPerson", "AdditionalMetadataLocation")
)
T = TypeVar("T", datetime, timedelta)


class EntityReading(NamedTuple):
    """One entity of a document, and what was found wrong with it while it was read."""

    entity: Entity
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Inherited:
    """What enclosing EntitiesDescriptors say about every entity inside."""

    valid_until: datetime | None = None
    cache_duration: timedelta | None = None
    extensions: tuple[_Element, ...] = ()

    def inside(self, group: _Element) -> Inherited:
        """What holds inside another group, by its own attributes; its extensions come apart. Raises `Malformed`."""
        return Inherited(
            valid_until=_earliest(self.valid_until, valid_until(group)),
            cache_duration=_earliest(self.cache_duration, cache_duration(group, Findings("group"))),
            extensions=self.extensions,
        )


def read_document(document: bytes, *, max_bytes: int = MAX_DOCUMENT) -> tuple[Entity, ...]:
    """Read every entity of a document, in its order. Raises `Malformed`."""
    return tuple(reading.entity for reading in read_entities(xml.parse(document, max_bytes=max_bytes)))


def expect_metadata(root: _Element) -> None:
    """Demand that an element is one that metadata may have as its root. Raises `Malformed` (rule `metadata.root`)."""
    if root.tag not in (ENTITY, ENTITIES):
        raise Malformed("metadata.root", "the document is neither an EntityDescriptor nor an EntitiesDescriptor")


def read_entity(element: _Element) -> Entity:
    """Read one EntityDescriptor. Raises `Malformed`."""
    return next(read_entities(element)).entity


def read_entities(root: _Element) -> Iterator[EntityReading]:
    """Read every entity below an EntityDescriptor or EntitiesDescriptor, nested to any depth, in document order.

    The earliest validUntil and the shortest cacheDuration of all levels count (SAML Metadata 2.3.1, 2.3.2); entity
    attributes and registration of a group hold for each of its members. Raises `Malformed`.
    """
    expect_metadata(root)
    waiting = [(root, Inherited())]
    while waiting:
        element, inherited = waiting.pop()
        if element.tag == ENTITY:
            yield read_one(element, inherited)
            continue
        inner = inherited.inside(element)
        inner = replace(inner, extensions=(*inner.extensions, *element.iterchildren(EXTENSIONS)))
        waiting += [(child, inner) for child in element.iterchildren(ENTITIES, ENTITY, reversed=True)]


def read_one(element: _Element, inherited: Inherited) -> EntityReading:
    """Read one EntityDescriptor with what its groups say. Raises `Malformed`."""
    entity_id = element.get("entityID", "").strip()
    if not entity_id:
        raise Malformed("metadata.entity_id", "an EntityDescriptor has no entityID")
    findings = Findings(entity_id)
    parts = children(element)
    extensions = parts.get(EXTENSIONS, [])
    idp, sp, others = _roles(parts, extensions, findings)
    entity = Entity(
        entity_id=entity_id,
        idp=idp,
        sp=sp,
        valid_until=_earliest(inherited.valid_until, valid_until(element)),
        cache_duration=_earliest(inherited.cache_duration, cache_duration(element, findings)),
        attributes=_entity_attributes([*inherited.extensions, *extensions]),
        organization=read_organization(next(iter(parts.get(f"{{{MD}}}Organization", [])), None), findings),
        contacts=tuple(read_contact(child, findings) for child in parts.get(f"{{{MD}}}ContactPerson", [])),
        registration_authority=_registration_authority([*extensions, *reversed(inherited.extensions)]),
        other_roles=others,
    )
    return EntityReading(entity, findings.all())


def _roles(
    parts: dict[str, list[_Element]], extensions: list[_Element], findings: Findings
) -> tuple[IdPRole | None, SPRole | None, tuple[str, ...]]:
    """The first IdP and SP role that speak SAML 2.0, and the local names of all other roles."""
    idp: IdPRole | None = None
    sp: SPRole | None = None
    others: dict[str, None] = {}
    for tag, elements in parts.items():
        name = tag.rpartition("}")[2]
        for element in elements:
            speaks_saml2 = SAMLP in element.get("protocolSupportEnumeration", "").split()
            if tag == f"{{{MD}}}IDPSSODescriptor" and speaks_saml2 and idp is None:
                idp = read_idp_role(element, extensions, findings)
            elif tag == f"{{{MD}}}SPSSODescriptor" and speaks_saml2 and sp is None:
                sp = read_sp_role(element, extensions, findings)
            elif tag.startswith(f"{{{MD}}}") and tag not in _NOT_ROLES:
                others[name] = None
                if speaks_saml2 and name in ("IDPSSODescriptor", "SPSSODescriptor"):
                    message = f"there are several SAML 2.0 roles {quoted(name)}: the first one counts"
                    findings.add("metadata.role.several", Level.WARNING, message, "SAML Metadata 2.3.2", place=name)
    return idp, sp, tuple(others)


def _entity_attributes(extensions: list[_Element]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Entity attributes by name, values in document order (MDATTR 2.3). Embedded assertions are not evaluated."""
    collected: dict[str, list[str]] = {}
    for extension in extensions:
        for about in extension.iterchildren(f"{{{MDATTR}}}EntityAttributes"):
            for attribute in about.iterchildren(f"{{{SAML}}}Attribute"):
                values = collected.setdefault(attribute.get("Name", ""), [])
                values += [text_of(value) for value in attribute.iterchildren(f"{{{SAML}}}AttributeValue")]
    return tuple((name, tuple(values)) for name, values in collected.items() if name)


def _registration_authority(extensions: list[_Element]) -> str | None:
    """Who registered the entity (MDRPI 2.1), the innermost statement first."""
    for extension in extensions:
        for info in extension.iterchildren(f"{{{MDRPI}}}RegistrationInfo"):
            authority = info.get("registrationAuthority", "").strip()
            if authority:
                return authority
    return None


def _earliest(*values: T | None) -> T | None:
    return min((value for value in values if value is not None), default=None)
