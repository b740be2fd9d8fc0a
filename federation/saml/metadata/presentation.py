"""How an entity presents itself: UIInfo, organisation, contacts (mdui 2.1, SAML Metadata 2.3.2.1 and 2.3.2.2, REFEDS).

All of it is hostile text until a page escapes it. URLs that a browser would run are dropped here already.
"""

from __future__ import annotations

import re

from lxml.etree import _Element

from federation.saml.metadata.elements import children, language_pairs, text_of, texts
from federation.saml.metadata.entity import Contact, Logo, Organization, UIInfo
from federation.saml.metadata.findings import Findings, Level
from federation.saml.metadata.locations import is_link, is_logo
from federation.saml.names import MD, MDUI, REMD, XML

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x20\x7f]{1,64}@[^\s@<>,;:\"()\[\]\\\x00-\x20\x7f]{1,190}")


def read_ui_info(extensions: list[_Element], findings: Findings) -> UIInfo:
    """Read the first UIInfo of a role's Extensions; an empty one if there is none."""
    element = next((found for child in extensions for found in child.iterchildren(f"{{{MDUI}}}UIInfo")), None)
    if element is None:
        return UIInfo()
    parts = children(element)

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return language_pairs(parts.get(f"{{{MDUI}}}{name}", []))

    return UIInfo(
        display_names=pairs("DisplayName"),
        descriptions=pairs("Description"),
        keywords=pairs("Keywords"),
        information_urls=links(pairs("InformationURL"), "InformationURL", findings),
        privacy_statement_urls=links(pairs("PrivacyStatementURL"), "PrivacyStatementURL", findings),
        logos=tuple(logo for child in parts.get(f"{{{MDUI}}}Logo", []) if (logo := _logo(child, findings)) is not None),
    )


def read_organization(element: _Element | None, findings: Findings) -> Organization | None:
    """Read the Organization of an entity, if it has one."""
    if element is None:
        return None
    parts = children(element)
    return Organization(
        names=language_pairs(parts.get(f"{{{MD}}}OrganizationName", [])),
        display_names=language_pairs(parts.get(f"{{{MD}}}OrganizationDisplayName", [])),
        urls=links(language_pairs(parts.get(f"{{{MD}}}OrganizationURL", [])), "OrganizationURL", findings),
    )


def read_contact(element: _Element, findings: Findings) -> Contact:
    """Read one ContactPerson; addresses lose their `mailto:`, and those that are none are dropped."""
    parts = children(element)
    emails = []
    for address in texts(parts.get(f"{{{MD}}}EmailAddress", [])):
        bare = address[7:] if address[:7].lower() == "mailto:" else address
        if _EMAIL.fullmatch(bare):
            emails.append(bare)
        else:
            findings.add("metadata.contact.email", Level.WARNING, "a contact's e-mail address is none", "SDP-MD11")
    return Contact(
        type=element.get("contactType", "other"),
        given_name=_first(parts, f"{{{MD}}}GivenName"),
        sur_name=_first(parts, f"{{{MD}}}SurName"),
        company=_first(parts, f"{{{MD}}}Company"),
        emails=tuple(emails),
        telephones=texts(parts.get(f"{{{MD}}}TelephoneNumber", [])),
        remd_type=element.get(f"{{{REMD}}}contactType"),
    )


def _first(parts: dict[str, list[_Element]], tag: str) -> str | None:
    found = texts(parts.get(tag, []))
    return found[0] if found else None


def links(pairs: tuple[tuple[str, str], ...], place: str, findings: Findings) -> tuple[tuple[str, str], ...]:
    """Only those pairs whose text a page may link to; the others are noted."""
    good = tuple(pair for pair in pairs if is_link(pair[1]))
    if len(good) < len(pairs):
        message = f"{place} is not an http or https URL and was dropped"
        findings.add("metadata.link", Level.WARNING, message, "SDP-MD09", place=place)
    return good


def _logo(element: _Element, findings: Findings) -> Logo | None:
    url = "".join(text_of(element).split())
    height, width = element.get("height", ""), element.get("width", "")
    sizes = all(size.isascii() and size.isdecimal() and len(size) <= 5 for size in (height, width))
    if not (is_logo(url) and sizes):
        message = "a logo was dropped: it needs an https URL or an inline image, a height and a width"
        findings.add("metadata.logo", Level.WARNING, message, "SDP-MD10", place="Logo")
        return None
    return Logo(url=url, height=int(height), width=int(width), language=element.get(f"{{{XML}}}lang"))
