"""Attributes with their characteristics (RFC 7643 2.2, 7), schemas, resource types; how a name finds its attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from federation.scim import urns

MAX_TEXT: Final = 256
"""Characters of a text, unless its attribute says otherwise."""
MAX_VALUES: Final = 250
"""Values of a multi-valued attribute that is stored with its resource."""


def _by_key(attributes: Iterable[Attribute]) -> Mapping[str, Attribute]:
    """The attributes by name as names are compared: without letter case (RFC 7643 2.1)."""
    return MappingProxyType({attribute.name.lower(): attribute for attribute in attributes})


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute or sub-attribute. The defaults are those of RFC 7643 2.2.

    `type` is one of string, boolean, dateTime, reference, complex. `max_length` bounds a text in characters. `edges`
    marks an attribute whose values are rows of their own (the members of a group) and never part of the document.
    """

    name: str
    type: str = "string"
    description: str = ""
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()
    max_length: int = MAX_TEXT
    edges: bool = False
    _subs: Mapping[str, Attribute] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_subs", _by_key(self.sub_attributes))

    def sub(self, name: str) -> Attribute | None:
        """The sub-attribute of that name, letter case aside."""
        return self._subs.get(name.lower())

    @property
    def read_only(self) -> bool:
        """Whether clients cannot write it."""
        return self.mutability == "readOnly"

    def as_json(self) -> dict[str, Any]:
        """The attribute as `/Schemas` shows it (RFC 7643 7)."""
        document: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": self.required,
            "mutability": self.mutability,
            "returned": self.returned,
        }
        if self.type in ("string", "reference"):
            document |= {"caseExact": self.case_exact, "uniqueness": self.uniqueness}
        if self.canonical_values:
            document["canonicalValues"] = list(self.canonical_values)
        if self.reference_types:
            document["referenceTypes"] = list(self.reference_types)
        if self.sub_attributes:
            document["subAttributes"] = [sub.as_json() for sub in self.sub_attributes]
        return document


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema: a URN, and the attributes that it names."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]
    _by_key: Mapping[str, Attribute] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", _by_key(self.attributes))

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, letter case aside."""
        return self._by_key.get(name.lower())

    def as_json(self) -> dict[str, Any]:
        """The schema's definition (RFC 7643 7), without `meta`."""
        return {
            "schemas": [urns.SCHEMA],
            "id": self.urn,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.as_json() for attribute in self.attributes],
        }


COMMON: Final = (
    Attribute("schemas", "reference", multi_valued=True, returned="always", mutability="readOnly", case_exact=True),
    Attribute("id", mutability="readOnly", returned="always", case_exact=True, uniqueness="server"),
    Attribute("externalId", case_exact=True),
    Attribute(
        "meta",
        "complex",
        mutability="readOnly",
        sub_attributes=(
            Attribute("resourceType", mutability="readOnly", case_exact=True),
            Attribute("created", "dateTime", mutability="readOnly"),
            Attribute("lastModified", "dateTime", mutability="readOnly"),
            Attribute("location", "reference", mutability="readOnly", case_exact=True),
            Attribute("version", mutability="readOnly", case_exact=True),
        ),
    ),
)
"""What every resource has (RFC 7643 3.1)."""


@dataclass(frozen=True, slots=True)
class Place:
    """An attribute found by its name: in the extension `urn` (None: in the resource itself); maybe a part of it."""

    urn: str | None
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """What is compared or changed: the sub-attribute where one was named."""
        return self.sub or self.attribute

    @property
    def path(self) -> str:
        """The canonical name, as it is written in a PATCH path."""
        name = self.attribute.name if self.sub is None else f"{self.attribute.name}.{self.sub.name}"
        return name if self.urn is None else f"{self.urn}:{name}"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource (RFC 7643 6): its endpoint, its schema and the extensions it may carry."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()

    @property
    def attributes(self) -> Iterable[Attribute]:
        """The attributes of the resource itself, the common ones included."""
        return (*COMMON, *self.schema.attributes)

    @property
    def edges(self) -> tuple[Attribute, ...]:
        """The attributes whose values are rows of their own."""
        return tuple(attribute for attribute in self.schema.attributes if attribute.edges)

    @property
    def writable_edges(self) -> tuple[Attribute, ...]:
        """Those of them that clients write."""
        return tuple(attribute for attribute in self.edges if not attribute.read_only)

    def find_own(self, name: str) -> Attribute | None:
        """The attribute of that simple name, extensions aside."""
        return self.schema.attribute(name) or _COMMON.get(name.lower())

    def extension(self, urn: str) -> Schema | None:
        """The extension with that URN, letter case aside."""
        return next((schema for schema in self.extensions if schema.urn.lower() == urn.lower()), None)

    def find(self, name: str) -> Place | None:
        """What `[URN:]attribute[.sub]` names, letter case aside, or None."""
        urn, attribute, sub = split_name(name)
        owner: str | None = None
        if urn is None or urn.lower() == self.schema.urn.lower():
            found = self.find_own(attribute)
        else:
            extension = self.extension(urn)
            found = extension.attribute(attribute) if extension else None
            owner = extension.urn if extension else None
        if found is None:
            return None
        if sub is None:
            return Place(owner, found)
        part = found.sub(sub)
        return None if part is None else Place(owner, found, part)


def split_name(name: str) -> tuple[str | None, str, str | None]:
    """Split `[URN:]attribute[.sub]`: the URN itself may hold dots ("…:2.0:User")."""
    urn, colon, rest = name.rpartition(":")
    attribute, dot, sub = rest.partition(".")
    return (urn if colon else None), attribute, (sub if dot else None)


_COMMON: Final = _by_key(COMMON)
