"""Documents of any size: verified whole, then read as a stream of the very octets that were verified (IIP-MD02 to 04).

A federation's aggregate holds thousands of entities. It is parsed once, hardened, to verify the signature of its root;
that tree is freed, and the canonical octets are read again one entity at a time. What a reader gets for each entity is
a document of its own with a digest, so that a store rewrites only what changed. A document is accepted whole or not at
all: a reader that writes as it goes does so in one transaction, because the last entity may still be refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final, cast

from lxml import etree

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata.age import Age
from federation.saml.metadata.elements import published, valid_until
from federation.saml.metadata.entity import Entity, KeyDescriptor
from federation.saml.metadata.findings import Finding
from federation.saml.metadata.lint import lint, lint_schema
from federation.saml.metadata.origin import Pins, examine
from federation.saml.metadata.reading import (
    ENTITIES,
    ENTITY,
    EXTENSIONS,
    EntityReading,
    Inherited,
    expect_metadata,
    read_one,
)
from federation.saml.metadata.rules import (
    EXCEPTIONS,
    IDENTITY_RULES,
    VALIDITY_RULES,
    Candidate,
    Validity,
    endpoints_are_secure,
)
from federation.saml.metadata.trust import MAX_VALIDITY, SKEW
from federation.saml.names import DS, MDATTR, MDRPI

MAX_AGGREGATE: Final = 104_857_600
"""100 MiB: the largest known federations publish about that much."""

_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
}
_CHUNK: Final = 65_536
_ENTITY_ATTRIBUTES: Final = f"{{{MDATTR}}}EntityAttributes"
_REGISTRATION: Final = f"{{{MDRPI}}}RegistrationInfo"


@dataclass(frozen=True, slots=True)
class Verified:
    """A document whose signature and validity are in order, and whose members have not been read yet.

    `octets` are what was signed, canonical and without the signature; of an unsigned document, its canonical form.
    `signed` says that a pinned key made the signature; `signer` is the key that made it, pinned or not.
    """

    octets: bytes = field(repr=False)
    is_group: bool
    signed: bool
    signer: KeyDescriptor | None
    valid_until: datetime | None
    published: datetime | None
    checks: tuple[Check, ...]

    @property
    def age(self) -> Age:
        """How old it says it is."""
        return Age(self.published, self.valid_until)


@dataclass(frozen=True, slots=True)
class Member:
    """One entity of a document.

    `octets` are a document of its own: canonical, unsigned, with what its groups say about categories and registration,
    but without their validity, which is the source's and changes each day. `digest` is their SHA-256 in hexadecimal.
    """

    entity: Entity
    octets: bytes = field(repr=False)
    digest: str
    findings: tuple[Finding, ...]


class MemberRefused(Refused):
    """A document is refused because of one entity in it; `place` says which one."""

    def __init__(self, checks: Sequence[Check], place: str) -> None:
        super().__init__(checks)
        self.place = place

    def __str__(self) -> str:
        return f"{super().__str__()}; in {self.place}"


def verify(
    document: bytes,
    *,
    now: datetime,
    pins: Pins | None = None,
    max_validity: timedelta = MAX_VALIDITY,
    skew: timedelta = SKEW,
    exceptions: Iterable[str] = (),
    max_bytes: int = MAX_AGGREGATE,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> Verified:
    """Verify a document as a whole: form, signature, validity of the root.

    With `pins` an unsigned document is refused. `exceptions` are names from `rules.EXCEPTIONS`. `algorithms` are those
    that the site has not banned.

    Raises `Malformed`, `Refused` with every check, and `ConfigurationError` for an exception that does not exist.
    """
    chosen = frozenset(exceptions)
    if chosen - EXCEPTIONS:
        raise ConfigurationError(f"metadata: no exception is called {', '.join(sorted(chosen - EXCEPTIONS))}")
    root = xml.parse(document, max_bytes=max_bytes)
    expect_metadata(root)
    origin = examine(root, pins or Pins(), algorithms=algorithms)
    octets = xml.canonical(root) if origin.octets is None else origin.octets
    del root
    top = _top(octets)
    until = valid_until(top)
    validity = Validity(
        root=until, earliest=until, now=now, skew=skew, max_validity=max_validity, exceptions=chosen
    )  # fmt: skip
    checks = run(VALIDITY_RULES, origin.checks, validity)
    return Verified(octets, top.tag == ENTITIES, origin.trusted, origin.signer, until, published(top), checks)


def members(
    octets: bytes, *, own_entity_id: str | None = None, allow_http_loopback: bool = False, now: datetime | None = None
) -> Iterator[Member]:
    """Read the entities of canonical octets one by one, in document order, each with everything the rules find.

    Memory stays bounded: an entity is forgotten when the next one is asked for. Raises `Malformed`, and `MemberRefused`
    for an entity that would make the whole document unacceptable: a bad, repeated or own entityID, an endpoint nobody
    may be sent to.
    """
    seen: set[str] = set()
    for number, (element, inherited) in enumerate(_walk(octets), start=1):
        reading = _read(element, inherited, number)
        entity = reading.entity
        # The role is of no matter to these rules.
        candidate = Candidate(entity, reading.findings, "", own_entity_id, allow_http_loopback)
        try:
            checks = run(IDENTITY_RULES, (), candidate)
            checks = run((entity_is_described_once,), checks, entity.entity_id in seen)
            run((endpoints_are_secure,), checks, candidate)
        except Refused as refused:
            raise MemberRefused(refused.checks, f"entity {number}, {entity.entity_id[:300]!r}") from None
        seen.add(entity.entity_id)
        canonical = xml.canonical(element)
        yield Member(
            entity,
            canonical,
            hashlib.sha256(canonical).hexdigest(),
            (*reading.findings, *lint(entity, now=now), *lint_schema(element, entity.entity_id)),
        )


def member(octets: bytes, entity_id: str) -> Member:
    """One entity of canonical octets that were judged when they came; the others are no matter.

    Raises `Malformed` when it is not there.
    """
    for number, (element, inherited) in enumerate(_walk(octets), start=1):
        if element.get("entityID") == entity_id:
            reading = _read(element, inherited, number)
            canonical = xml.canonical(element)
            return Member(reading.entity, canonical, hashlib.sha256(canonical).hexdigest(), reading.findings)
    raise Malformed("metadata.entity", "the entity is not in the document")


@rule("metadata.entity_id.unique", "SAML Metadata 2.3.2; IIP-MD02")
def entity_is_described_once(again: bool) -> Seen:
    """Two descriptions of one entity would leave it to chance which keys and endpoints count."""
    return not again, "each entity once", "an entityID for the second time" if again else "as expected"


# The stream -----------------------------------------------------------------------------------------------------------


def _events(octets: bytes, *events: str) -> Iterator[tuple[str, etree._Element]]:
    """Parse events over octets of our own making. The options are the hardened parser's all the same."""
    found = etree.iterparse(BytesIO(octets), events=events, tag=(ENTITY, ENTITIES), **_OPTIONS)
    try:
        yield from found
    except etree.XMLSyntaxError:
        raise Malformed("xml.well_formed", "not a well-formed XML document") from None


def _top(octets: bytes) -> etree._Element:
    """The document element with its attributes and Extensions; of the rest hardly more than the beginning is read."""
    parser = etree.XMLPullParser(events=("start", "end"), **_OPTIONS)
    root: etree._Element | None = None
    for start in range(0, len(octets), _CHUNK):
        parser.feed(octets[start : start + _CHUNK])
        for event, item in parser.read_events():
            element = cast("etree._Element", item)
            if root is None:
                root = element
            elif element is root or (element.getparent() is root and (event == "end" or element.tag != EXTENSIONS)):
                return root
    raise Malformed("xml.well_formed", "not a well-formed XML document")


@dataclass(slots=True)
class _Group:
    """An EntitiesDescriptor that is being read. `said` are its Extensions, noted as soon as a member comes."""

    element: etree._Element
    inherited: Inherited
    said: tuple[etree._Element, ...] | None = None

    def holds_for(self, member: etree._Element) -> Inherited:
        """What holds for its members: all that stands before the first of them. (The tree is ahead of the events.)"""
        if self.said is None:
            self.said = (*member.itersiblings(EXTENSIONS, preceding=True),)[::-1]
            self.inherited = replace(self.inherited, extensions=(*self.inherited.extensions, *self.said))
        return self.inherited

    def end(self) -> None:
        """Raise `Malformed` if more was said after a member: whoever read that one did not know of it."""
        if self.said is not None and self.said != tuple(self.element.iterchildren(EXTENSIONS)):
            raise Malformed("metadata.group", "a group says what holds for its members after some of them")


def _walk(octets: bytes) -> Iterator[tuple[etree._Element, Inherited]]:
    """Every EntityDescriptor that is the root or a member of groups up to the root, with what the groups say.

    One that hides anywhere else, for instance among extensions, is not a member. Raises `Malformed`.
    """
    groups: list[_Group] = []
    for event, element in _events(octets, "start", "end"):
        parent = groups[-1] if groups else None
        belongs = element.getparent() is (parent.element if parent is not None else None)
        if element.tag == ENTITIES:
            if event == "start" and belongs:
                inherited = parent.holds_for(element) if parent is not None else Inherited()
                groups.append(_Group(element, inherited.inside(element)))
            elif event == "end" and parent is not None and element is parent.element:
                groups.pop().end()
                _forget(element)
        elif event == "end" and belongs:
            yield element, parent.holds_for(element) if parent is not None else Inherited()
            _forget(element)


def _forget(element: etree._Element) -> None:
    """Free what was read. The element itself stays until its next sibling is done: the parser still stands on it."""
    element.clear()
    previous, parent = element.getprevious(), element.getparent()
    if parent is not None and previous is not None and previous.tag in (ENTITY, ENTITIES):
        parent.remove(previous)


def _read(element: etree._Element, inherited: Inherited, number: int) -> EntityReading:
    _fold(element, inherited.extensions)
    try:
        return read_one(element, replace(inherited, extensions=()) if inherited.extensions else inherited)
    except Malformed as malformed:
        raise Malformed(malformed.rule, f"{malformed.reason} (entity {number})") from None


def _fold(element: etree._Element, inherited: Sequence[etree._Element]) -> None:
    """Give an entity what its groups say of every member: all their entity attributes, the innermost registration.

    The rest (who published the aggregate, and when) is about the group and stays there.
    """
    attributes = [child for extensions in inherited for child in extensions.iterchildren(_ENTITY_ATTRIBUTES)]
    registrations = [child for extensions in inherited for child in extensions.iterchildren(_REGISTRATION)][-1:]
    if not attributes and not registrations:
        return
    own = element.find(EXTENSIONS)
    if own is None:
        own = etree.Element(EXTENSIONS)
        first = element[0] if len(element) else None
        element.insert(1 if first is not None and first.tag == f"{{{DS}}}Signature" else 0, own)
    for position, each in enumerate(attributes):
        own.insert(position, deepcopy(each))
    if own.find(_REGISTRATION) is None:
        own.extend(deepcopy(each) for each in registrations)
