"""The attributes we know about a person, and the names the world has for them.

A key (`display_name`) is what our own code and policies say. On the wire an attribute is named by the OID URI that the
LDAP and X.500 attribute profile derives (SAML Profiles 8.2), with the LDAP name as FriendlyName, which is a help for
readers and never decides anything (IIP-SP11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from federation.errors import ConfigurationError
from federation.saml.metadata.entity import RequestedAttribute
from federation.saml.names import PAIRWISE_ID, SUBJECT_ID, NameFormat


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One attribute. `label` is what people read; `is_identifier` marks what names the person and may be correlated,
    `is_scoped` values that end in `@` and a domain for which only its own identity provider may speak (SDP-SP17).
    """

    key: str
    name: str
    friendly_name: str
    label: str
    is_multi_valued: bool = False
    is_identifier: bool = False
    is_scoped: bool = False
    name_format: str = NameFormat.URI


_ENTRIES: Final = (
    CatalogueEntry(
        "pairwise_id", PAIRWISE_ID, "pairwise-id", "Pairwise identifier", is_identifier=True, is_scoped=True
    ),
    CatalogueEntry("subject_id", SUBJECT_ID, "subject-id", "Subject identifier", is_identifier=True, is_scoped=True),
    CatalogueEntry("username", "urn:oid:0.9.2342.19200300.100.1.1", "uid", "User name", is_identifier=True),
    CatalogueEntry(
        "principal_name",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
        "eduPersonPrincipalName",
        "Principal name",
        is_identifier=True,
        is_scoped=True,
    ),
    CatalogueEntry(
        "employee_number", "urn:oid:2.16.840.1.113730.3.1.3", "employeeNumber", "Employee number", is_identifier=True
    ),
    CatalogueEntry("display_name", "urn:oid:2.16.840.1.113730.3.1.241", "displayName", "Display name"),
    CatalogueEntry("given_name", "urn:oid:2.5.4.42", "givenName", "Given name"),
    CatalogueEntry("family_name", "urn:oid:2.5.4.4", "sn", "Family name"),
    CatalogueEntry("common_name", "urn:oid:2.5.4.3", "cn", "Common name", is_multi_valued=True),
    CatalogueEntry("mail", "urn:oid:0.9.2342.19200300.100.1.3", "mail", "E-mail address", is_multi_valued=True),
    CatalogueEntry("telephone", "urn:oid:2.5.4.20", "telephoneNumber", "Telephone", is_multi_valued=True),
    CatalogueEntry("title", "urn:oid:2.5.4.12", "title", "Job title"),
    # RFC 4519 2.20 gives "Finance" and "Human Resources" as values of ou; departmentNumber is for codes.
    CatalogueEntry("department", "urn:oid:2.5.4.11", "ou", "Department", is_multi_valued=True),
    CatalogueEntry("department_number", "urn:oid:2.16.840.1.113730.3.1.2", "departmentNumber", "Department number"),
    CatalogueEntry("organization", "urn:oid:2.5.4.10", "o", "Organisation"),
    CatalogueEntry("groups", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "isMemberOf", "Groups", is_multi_valued=True),
    CatalogueEntry("locality", "urn:oid:2.5.4.7", "l", "Town"),
    CatalogueEntry("country", "urn:oid:2.5.4.6", "c", "Country"),
    CatalogueEntry("language", "urn:oid:2.16.840.1.113730.3.1.39", "preferredLanguage", "Language"),
    CatalogueEntry(
        "affiliation", "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "eduPersonAffiliation", "Affiliation", is_multi_valued=True
    ),
    CatalogueEntry(
        "scoped_affiliation",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
        "eduPersonScopedAffiliation",
        "Scoped affiliation",
        is_multi_valued=True,
        is_scoped=True,
    ),
    CatalogueEntry(
        "entitlements",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.7",
        "eduPersonEntitlement",
        "Entitlements",
        is_multi_valued=True,
    ),
    CatalogueEntry(
        "assurance", "urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "eduPersonAssurance", "Assurance", is_multi_valued=True
    ),
    CatalogueEntry(
        "home_organization", "urn:oid:1.3.6.1.4.1.25178.1.2.9", "schacHomeOrganization", "Home organisation"
    ),
)

CATALOGUE: Final[Mapping[str, CatalogueEntry]] = MappingProxyType({entry.key: entry for entry in _ENTRIES})
"""Every attribute by our key, in the order in which pages and assertions list them."""

_BY_NAME: Final = MappingProxyType({entry.name: entry for entry in _ENTRIES})
_WILDCARD_FORMATS: Final = frozenset({None, NameFormat.UNSPECIFIED})


def entry_named(name: str, name_format: str | None) -> CatalogueEntry | None:
    """The entry that a Name and NameFormat on the wire mean, or None for one we do not know.

    Both decide (SAML Core 2.7.3.1); FriendlyName never does. An omitted format reads as unspecified, which leaves the
    interpretation to the receiver: our names are URIs that nobody else may assign, so it matches them too.
    """
    entry = _BY_NAME.get(name)
    if entry is None or (name_format not in _WILDCARD_FORMATS and name_format != entry.name_format):
        return None
    return entry


def requested_attribute(key: str, *, required: bool = False) -> RequestedAttribute:
    """What an SP's metadata writes to ask for an attribute of ours. Raises `ConfigurationError` for an unknown key."""
    entry = CATALOGUE.get(key)
    if entry is None:
        raise ConfigurationError(f"no attribute is called {key!r}; choose from {', '.join(CATALOGUE)}")
    return RequestedAttribute(entry.name, entry.name_format, entry.friendly_name, is_required=required)
