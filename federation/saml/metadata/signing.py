"""Signing metadata that is already written: a document as it is, or verified members put together or handed out singly.

What we sign we vouch for: a member keeps the limits that it came with, so that signing it again never prolongs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.errors import ConfigurationError
from federation.saml import signature, xml
from federation.saml.codec import metadata as codec
from federation.saml.metadata.aggregate import MAX_AGGREGATE, Member
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.publishing import DEFAULT_CACHE_DURATION, DEFAULT_VALIDITY
from federation.saml.metadata.reading import ENTITIES, expect_metadata
from federation.saml.names import DS, MD
from federation.saml.times import format_duration, format_instant

_SIGNATURE: Final = f"{{{DS}}}Signature"


def sign_document(
    document: bytes,
    *,
    signing_key: signature.SigningKey,
    document_id: str,
    now: datetime,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
    max_bytes: int = MAX_AGGREGATE,
) -> bytes:
    """Sign a document as a whole, valid for `validity` from `now`; a signature and a limit on its root are replaced.

    Raises `Malformed` when it is no metadata.
    """
    root = xml.parse(document, max_bytes=max_bytes)
    expect_metadata(root)
    return _finish(root, signing_key, document_id, now, now + validity, cache_duration)


def sign_group(
    members: Sequence[Member],
    *,
    signing_key: signature.SigningKey,
    document_id: str,
    now: datetime,
    name: str | None = None,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
) -> bytes:
    """Put members together as one signed EntitiesDescriptor (SAML Metadata 2.3.1), `name` being the group's URI.

    Raises `ConfigurationError` without members: the schema demands one.
    """
    if not members:
        raise ConfigurationError("metadata: there is no entity to publish")
    root = etree.Element(ENTITIES, {} if name is None else {"Name": name}, nsmap={"md": MD})
    root.extend(_member(each) for each in members)
    return _finish(root, signing_key, document_id, now, now + validity, cache_duration)


def sign_member(
    member: Member,
    *,
    signing_key: signature.SigningKey,
    document_id: str,
    now: datetime,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
) -> bytes:
    """A member as a signed document of its own, valid for `validity` or until its own limit, whatever comes first."""
    limits = [limit for limit in (member.entity.valid_until, now + validity) if limit is not None]
    durations = [each for each in (member.entity.cache_duration, cache_duration) if each is not None]
    return _finish(_member(member), signing_key, document_id, now, min(limits), min(durations))


def member_for(entity: Entity) -> Member:
    """An entity that is a value, ourselves for instance, as a member among those that came as documents."""
    undated = replace(entity, valid_until=None, cache_duration=None)
    octets = xml.canonical(xml.parse(codec.entity_descriptor(undated)))
    return Member(entity, octets, hashlib.sha256(octets).hexdigest(), ())


def _member(member: Member) -> etree._Element:
    """The member's element, with the limit of its groups, and without what could clash in another document."""
    element = xml.reparse(member.octets)
    _strip(element)
    if member.entity.valid_until is not None:
        element.set("validUntil", format_instant(member.entity.valid_until))
    return element


def _strip(element: etree._Element) -> None:
    """Take away the ID and the signature that refers to it."""
    if "ID" in element.attrib:
        del element.attrib["ID"]
    for child in element.findall(_SIGNATURE):
        element.remove(child)


def _finish(
    root: etree._Element,
    signing_key: signature.SigningKey,
    document_id: str,
    now: datetime,
    valid_until: datetime,
    cache_duration: timedelta,
) -> bytes:
    _strip(root)
    root.set("ID", document_id)
    root.set("validUntil", format_instant(valid_until))
    root.set("cacheDuration", format_duration(max(min(cache_duration, valid_until - now), timedelta(0))))
    signature.sign(root, key=signing_key)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml.serialise(root) + b"\n"
