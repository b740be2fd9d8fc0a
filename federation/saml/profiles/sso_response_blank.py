"""Web Browser SSO, the response: what is the same in all that are sent is written once, and a login only filled in.

A response with an assertion says some twenty things that differ from login to login, and else what every other says. So
the codec writes one with holes, and what a login adds is put there: into the text, and into the lines that the audit
trail keeps. What is there any number of times, or may be encrypted by itself, comes between the pieces: the signatures,
the NameID, the attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from federation.saml import xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.codec.assertion import (
    ASSERTION,
    ATTRIBUTE,
    ATTRIBUTE_STATEMENT,
    ATTRIBUTE_VALUE,
    ENCRYPTED_ATTRIBUTE,
    write_attribute,
)
from federation.saml.codec.common import ENCRYPTED_ID, NAME_ID, SUBJECT, write_name_id
from federation.saml.messages import (
    Assertion,
    Attribute,
    AuthnStatement,
    Conditions,
    NameID,
    Response,
    Status,
    SubjectConfirmation,
)
from federation.saml.names import ConfirmationMethod, StatusCode
from federation.saml.profiles import outline
from federation.saml.profiles.outline import Line
from federation.saml.times import format_instant

Seal = Callable[[xml.Element, str], xml.Element]
"""Encrypts an element, and wraps it in one of this name."""


class Part(NamedTuple):
    """A part of a message: its text, and its lines."""

    text: str
    lines: list[Line]


class Pieces(NamedTuple):
    """A response with an assertion, in pieces.

    The response: `start`, its signature, `status`, the assertion, `end`. The assertion: `head`, its signature,
    `subject`, the NameID, `statements`, the attributes, `tail`.
    """

    start: Part
    status: Part
    head: Part
    subject: Part
    statements: Part
    tail: Part
    end: Part


class Blank:
    """A response with an assertion, to be filled in."""

    def __init__(self, element: xml.Element) -> None:
        self._text: Final = xml.Stencil(xml.serialise(element).decode())
        self._lines: Final = outline.Stencil(element)

    def fill(self, values: Mapping[str, str]) -> Pieces:
        """The response that says these values. Raises `ConfigurationError` when one cannot stand in XML."""
        return Pieces(*map(Part, self._text.fill(values), self._lines.fill(values)))


@lru_cache(maxsize=64)
def blank(*, answer: bool, session_index: bool, session_end: bool, authorities: int) -> Blank:
    """The blank that has these optional things: InResponseTo, and those of the AuthnStatement."""
    request_id = xml.hole("request_id") if answer else None
    instants = {name: datetime(year, 1, 1, tzinfo=UTC) for year, name in enumerate(_INSTANTS, 1)}
    assertion = assertion_codec.write(
        Assertion(
            id=xml.hole("assertion_id"),
            issuer=xml.hole("issuer"),
            issue_instant=instants["now"],
            name_id=NameID(""),
            subject_confirmations=(
                SubjectConfirmation(
                    method=ConfirmationMethod.BEARER,
                    recipient=xml.hole("acs"),
                    in_response_to=request_id,
                    not_on_or_after=instants["end"],
                ),
            ),
            conditions=Conditions(instants["now"], instants["end"], ((xml.hole("audience"),),)),
            authn_statements=(
                AuthnStatement(
                    authn_instant=instants["authn_instant"],
                    session_index=xml.hole("session_index") if session_index else None,
                    session_not_on_or_after=instants["session_end"] if session_end else None,
                    authn_context_class_ref=xml.hole("class_ref"),
                    authenticating_authorities=tuple(xml.hole(f"authority_{index}") for index in range(authorities)),
                ),
            ),
            attributes=(Attribute("", ()),),
        )
    )
    response = response_codec.write(
        Response(
            id=xml.hole("response_id"),
            issue_instant=instants["now"],
            status=Status(StatusCode.SUCCESS),
            issuer=xml.hole("issuer"),
            destination=xml.hole("acs"),
            in_response_to=request_id,
        ),
        assertion,
    )
    _open(response, {format_instant(instant): xml.hole(name) for name, instant in instants.items()})
    issuer, status, _ = response
    response[:] = [issuer, xml.cut(), status, xml.cut(), assertion, xml.cut()]
    assertion.insert(1, xml.cut())
    return Blank(response)


_INSTANTS: Final = ("now", "end", "authn_instant", "session_end")
_BETWEEN: Final = (NAME_ID, ATTRIBUTE_STATEMENT)


def _open(element: xml.Element, holes: Mapping[str, str]) -> None:
    """Make holes of instants, which the codec writes as times alone, and cuts of what is put between the pieces."""
    for name, value in element.items():
        element.attributes[name] = holes.get(value, value)
    for position, child in enumerate(element):
        if child.tag in _BETWEEN:
            element[position] = xml.cut()
        else:
            _open(child, holes)


# Between the pieces ---------------------------------------------------------------------------------------------------

_DEPTH: Final = {SUBJECT: 2, ASSERTION: 1, ATTRIBUTE_STATEMENT: 2, ATTRIBUTE: 3}
"""How deep each of these stands in a response."""


def name_id(told: NameID | None, seal: Seal | None) -> Part:
    """The NameID, encrypted where it shall be; nothing where there is none."""
    if told is None:
        return Part("", [])
    if seal is not None:
        return _part(SUBJECT, seal(_name_id_element(told), ENCRYPTED_ID))
    around = _around_name_id(told.format, told.name_qualifier, told.sp_name_qualifier, told.sp_provided_id)
    return Part(around.text(NAME_ID, told.value), [around.line_of(told.value)])


def attributes(told: Sequence[Attribute], seal: Seal | None) -> Part:
    """The statement with the attributes, each encrypted where they shall be; nothing where there are none."""
    if not told:
        return Part("", [])
    if seal is not None:
        statement = xml.new(ATTRIBUTE_STATEMENT)
        statement.extend(seal(_attribute_element(each), ENCRYPTED_ATTRIBUTE) for each in told)
        return _part(ASSERTION, statement)
    texts, lines = [_STATEMENT.start], [_STATEMENT.line]
    for each in told:
        around = _around_values(each.name, each.name_format, each.friendly_name)
        texts.append(around.start)
        lines.append(around.line)
        for value in each.values:
            texts.append(_VALUE.text(ATTRIBUTE_VALUE, value))
            lines.append(_VALUE.line_of(value))
        texts.append(around.end)
    texts.append(_STATEMENT.end)
    return Part("".join(texts), lines)


class _Around(NamedTuple):
    """What is around the content of an element, its start tag and its end tag; and its line."""

    start: str
    end: str
    line: Line

    def text(self, tag: str, value: str) -> str:
        """The element with this text."""
        return f"{self.start}{xml.content_text(tag, value)}{self.end}"

    def line_of(self, value: str) -> Line:
        """The line of it."""
        return self.line if value.strip() else {**self.line, "text": None}


def _around(parent: str, element: xml.Element, text: str | None = None) -> _Around:
    (line,) = outline.lines_of(element, _DEPTH[parent] + 1)
    return _Around(*xml.tags_inside(parent, element), {**line, "text": text})


@lru_cache(maxsize=1024)
def _around_name_id(*told: str | None) -> _Around:
    return _around(SUBJECT, _name_id_element(NameID("", *told)), outline.MASKED)


@lru_cache(maxsize=1024)
def _around_values(name: str, name_format: str | None, friendly_name: str | None) -> _Around:
    return _around(ATTRIBUTE_STATEMENT, _attribute_element(Attribute(name, (), name_format, friendly_name)))


_STATEMENT: Final = _around(ASSERTION, xml.new(ATTRIBUTE_STATEMENT))
_VALUE: Final = _around(ATTRIBUTE, xml.new(ATTRIBUTE_VALUE), outline.MASKED)


def _part(parent: str, element: xml.Element) -> Part:
    return Part(xml.inside(parent, element), outline.lines_of(element, _DEPTH[parent] + 1))


def _name_id_element(told: NameID) -> xml.Element:
    holder = xml.new(SUBJECT)
    write_name_id(holder, told)
    return holder[0]


def _attribute_element(told: Attribute) -> xml.Element:
    holder = xml.new(ATTRIBUTE_STATEMENT)
    write_attribute(holder, told)
    return holder[0]
