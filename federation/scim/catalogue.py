"""The resource types that we have: User with the enterprise extension (RFC 7643 4.1, 4.3), and Group (4.2).

What is missing is missing on purpose: no password ever travels here, and no certificate.
"""

from __future__ import annotations

from typing import Final

from federation.scim import urns
from federation.scim.schema import Attribute, ResourceType, Schema

_LONG: Final = 2048


def _many(name: str, description: str, value: Attribute, *types: str) -> Attribute:
    """A multi-valued attribute with the standard sub-attributes (RFC 7643 2.4)."""
    return Attribute(
        name,
        "complex",
        description,
        multi_valued=True,
        sub_attributes=(
            value,
            Attribute("display", description="A name of the value, to be shown."),
            Attribute("type", description="What the value is for.", canonical_values=types),
            Attribute("primary", "boolean", "Whether this value is the preferred one; one value at most is."),
        ),
    )


_NAME: Final = Attribute(
    "name",
    "complex",
    "The parts of the person's real name.",
    sub_attributes=(
        Attribute("formatted", description="The full name, formatted to be shown."),
        Attribute("familyName", description="The family name."),
        Attribute("givenName", description="The given name."),
        Attribute("middleName", description="The middle names."),
        Attribute("honorificPrefix", description="What goes before the name, such as Dr."),
        Attribute("honorificSuffix", description="What goes after the name, such as III."),
    ),
)

_ADDRESSES: Final = Attribute(
    "addresses",
    "complex",
    "Postal addresses.",
    multi_valued=True,
    sub_attributes=(
        Attribute("formatted", description="The address, formatted to be shown.", max_length=_LONG),
        Attribute("streetAddress", description="Street, house number, and what else is needed.", max_length=_LONG),
        Attribute("locality", description="City or town."),
        Attribute("region", description="State or region."),
        Attribute("postalCode", description="Postal code."),
        Attribute("country", description="Country, in ISO 3166-1 alpha 2."),
        Attribute("type", description="What the address is for.", canonical_values=("work", "home", "other")),
        Attribute("primary", "boolean", "Whether this address is the preferred one."),
    ),
)

_GROUPS: Final = Attribute(
    "groups",
    "complex",
    "The groups that the person is in. Changed by changing the groups.",
    multi_valued=True,
    mutability="readOnly",
    edges=True,
    sub_attributes=(
        Attribute("value", description="The group's id.", mutability="readOnly", case_exact=True),
        Attribute(
            "$ref",
            "reference",
            "The group's address.",
            mutability="readOnly",
            reference_types=("Group",),
            case_exact=True,
        ),
        Attribute("display", description="The group's name.", mutability="readOnly"),
        Attribute("type", description="How.", mutability="readOnly", canonical_values=("direct",)),
    ),
)

USER_SCHEMA: Final = Schema(
    urns.USER,
    "User",
    "User Account",
    (
        Attribute(
            "userName",
            description="The person's user name. Compared without letter case; it never links anybody to an account.",
            required=True,
            uniqueness="server",
        ),
        _NAME,
        Attribute("displayName", description="The name that is shown."),
        Attribute("nickName", description="What the person is called casually."),
        Attribute(
            "profileUrl", "reference", "A page about the person.", reference_types=("external",), case_exact=True
        ),
        Attribute("title", description="The person's title, such as Vice President."),
        Attribute("userType", description="The person's relation to the organisation."),
        Attribute("preferredLanguage", description="Preferred languages, as in Accept-Language."),
        Attribute("locale", description="Where the person is, to format dates and numbers."),
        Attribute("timezone", description="The time zone, by its name in the IANA database."),
        Attribute("active", "boolean", "Whether the account may be used. Inactive ends its sessions."),
        _many("emails", "E-mail addresses.", Attribute("value", description="The address."), "work", "home", "other"),
        _many(
            "phoneNumbers",
            "Telephone numbers.",
            Attribute("value", description="The number."),
            "work",
            "home",
            "mobile",
            "fax",
            "pager",
            "other",
        ),
        _ADDRESSES,
        _GROUPS,
        _many("entitlements", "What the person is entitled to.", Attribute("value", description="The entitlement.")),
        _many("roles", "The person's roles.", Attribute("value", description="The role.")),
    ),
)

ENTERPRISE_USER_SCHEMA: Final = Schema(
    urns.ENTERPRISE_USER,
    "EnterpriseUser",
    "Enterprise User",
    (
        Attribute("employeeNumber", description="The number that the organisation gave the person."),
        Attribute("costCenter", description="The cost center."),
        Attribute("organization", description="The organisation."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        Attribute(
            "manager",
            "complex",
            "The person's manager.",
            sub_attributes=(
                Attribute("value", description="The manager's id.", case_exact=True),
                Attribute(
                    "$ref",
                    "reference",
                    "The manager's address.",
                    reference_types=("User",),
                    case_exact=True,
                    max_length=_LONG,
                ),
                Attribute("displayName", description="The manager's name.", mutability="readOnly"),
            ),
        ),
    ),
)

GROUP_SCHEMA: Final = Schema(
    urns.GROUP,
    "Group",
    "Group",
    (
        Attribute("displayName", description="The name that is shown.", required=True),
        Attribute(
            "members",
            "complex",
            "Who is in the group.",
            multi_valued=True,
            edges=True,
            sub_attributes=(
                Attribute("value", description="The member's id.", mutability="immutable", case_exact=True),
                Attribute(
                    "$ref",
                    "reference",
                    "The member's address.",
                    mutability="immutable",
                    reference_types=("User",),
                    case_exact=True,
                ),
                Attribute(
                    "type", description="What the member is.", mutability="immutable", canonical_values=("User",)
                ),
            ),
        ),
    ),
)

USER: Final = ResourceType("User", "/Users", "User Account", USER_SCHEMA, (ENTERPRISE_USER_SCHEMA,))
GROUP: Final = ResourceType("Group", "/Groups", "Group", GROUP_SCHEMA)

RESOURCE_TYPES: Final = (USER, GROUP)
SCHEMAS: Final = (USER_SCHEMA, ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA)
