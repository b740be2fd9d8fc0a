"""What the checks of several profiles share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.checks import Seen
from federation.saml.codec.assertion import ADVICE, ASSERTION
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.metadata.entity import Entity, Role
from federation.saml.signature_shape import SIGNATURE
from federation.saml.times import format_instant

SKEW: Final = timedelta(minutes=3)
"""How far a partner's clock may be off, unless settings say otherwise."""
MAX_AGE: Final = timedelta(minutes=10)
"""How old a message may be when it arrives."""


def issued_in_window(issue_instant: datetime, *, now: datetime, skew: timedelta, max_age: timedelta) -> Seen:
    """Was it issued neither in the future nor too long ago?"""
    earliest, latest = now - max_age - skew, now + skew
    ok = earliest <= issue_instant <= latest
    return ok, f"{format_instant(earliest)} to {format_instant(latest)}", format_instant(issue_instant)


def metadata_valid(entity: Entity, role: Role | None, *, now: datetime) -> Seen:
    """Is what we know about the partner still valid: the entity and its role (SAML Metadata 2.3.2, 2.4.1)?"""
    end = entity.valid_until
    if role is not None and role.valid_until is not None and (end is None or role.valid_until < end):
        end = role.valid_until
    if end is None:
        return True, "metadata that is valid now", "valid without an end"
    return now < end, f"metadata valid at {format_instant(now)}", f"valid until {format_instant(end)}"


def same(expected: str, received: str | None) -> Seen:
    """Exact comparison of strings: no prefix, no case folding, no normalisation."""
    return received == expected, expected, "none" if received is None else received or "an empty text"


def version(element: etree._Element) -> Seen:
    """Is it SAML 2.0 (SAML Core 4.1)?"""
    return same("2.0", element.get("Version"))


def signatures_in_place(root: etree._Element, *, also_in: tuple[str, ...] = ()) -> Seen:
    """Does every signature stand right inside the message, or inside a child of it that may be signed too?

    A signature anywhere else could cover something that is parked where nobody reads it (SAML Core 5.4.2). Only in the
    assertion's Advice is there room for more.
    """
    expected = "signatures as children of the message or its assertion only"
    for signature in root.iter(SIGNATURE):
        parent = signature.getparent()
        nested = parent is not None and parent.getparent() is root and str(parent.tag) in also_in
        if parent is not root and not nested and not _in_advice(signature, root):
            return False, expected, "a signature elsewhere"
    return True, expected, "as expected"


def assertions_in_place(root: etree._Element) -> Seen:
    """Is every assertion, plain or encrypted, the message itself or a child of it, or in the advice of one of those?"""
    expected = "assertions as children of the message only"
    for element in root.iter(ASSERTION, ENCRYPTED_ASSERTION):
        child = element.getparent() is root and root.tag != ASSERTION
        if element is not root and not child and not _in_advice(element, root):
            return False, expected, f"{xml.local_name(element)} elsewhere"
    return True, expected, "as expected"


def _in_advice(element: etree._Element, root: etree._Element) -> bool:
    """Is it in the Advice of the message's assertion? Whatever is there is legal, and never read (IIP-EXT01)."""
    for ancestor in element.iterancestors(ADVICE):
        holder = ancestor.getparent()
        if holder is not None and holder.tag == ASSERTION and (holder is root or holder.getparent() is root):
            return True
    return False
