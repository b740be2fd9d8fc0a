"""Web Browser SSO, the response: what is the same in all that are sent is written once, and a login only filled in.

A response with an assertion says some twenty things that differ from login to login, and else what every other says. So
the codec writes one with holes, and what a login adds is put there: into the text, and into the lines that the audit
trail keeps. What is there any number of times, or may be encrypted by itself, has a gap: the NameID, the attributes.
The signatures come between the pieces, for they are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
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
from federation.saml.profiles import outline, outline_text
from federation.saml.times import format_instant

Seal = Callable[[xml.Element, str], xml.Element]
"""Encrypts an element, and wraps it in one of this name."""

Part = tuple[str, str]
"""A part of a message: its text, and its lines."""
NOTHING: Final = ("", "")


class Blank:
    """A response with an assertion, to be filled in."""

    def __init__(self, element: xml.Element) -> None:
        self._text: Final = xml.Stencil(xml.serialise(element).decode())
        self._lines: Final = outline_text.Stencil(element)

    def fill(self, values: Mapping[str, str], name_id: Part, attributes: Part) -> Iterable[Part]:
        """The response that says these values, in pieces: its start, its signature comes after that; its status; the
        start of the assertion, its signature comes after that; the rest of the assertion; the end.

        Raises `ConfigurationError` when a value cannot stand in XML.
        """
        return zip(
            self._text.fill(values, {"name_id": name_id[0], "attributes": attributes[0]}),
            self._lines.fill(values, {"name_id": name_id[1], "attributes": attributes[1]}),
            strict=True,
        )


@lru_cache(maxsize=64)
def blank(*names: str) -> Blank:
    """The blank for values of these names.

    Optional are `request_id`, and in the AuthnStatement `session_index`, `session_end`, and each `authority_...`.
    """
    holes = {name: xml.hole(name) for name in names}
    request_id = holes.get("request_id")
    instants = {name: datetime(year, 1, 1, tzinfo=UTC) for year, name in enumerate(_INSTANTS, 1)}
    assertion = assertion_codec.write(
        Assertion(
            id=holes["assertion_id"],
            issuer=holes["issuer"],
            issue_instant=instants["now"],
            name_id=NameID(""),
            subject_confirmations=(
                SubjectConfirmation(
                    method=ConfirmationMethod.BEARER,
                    recipient=holes["acs"],
                    in_response_to=request_id,
                    not_on_or_after=instants["end"],
                ),
            ),
            conditions=Conditions(instants["now"], instants["end"], ((holes["audience"],),)),
            authn_statements=(
                AuthnStatement(
                    authn_instant=instants["authn_instant"],
                    session_index=holes.get("session_index"),
                    session_not_on_or_after=instants["session_end"] if "session_end" in holes else None,
                    authn_context_class_ref=holes["class_ref"],
                    authenticating_authorities=tuple(holes[name] for name in names if name.startswith(AUTHORITY)),
                ),
            ),
            attributes=(Attribute("", ()),),
        )
    )
    response = response_codec.write(
        Response(
            id=holes["response_id"],
            issue_instant=instants["now"],
            status=Status(StatusCode.SUCCESS),
            issuer=holes["issuer"],
            destination=holes["acs"],
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
_GAPS: Final = {NAME_ID: "name_id", ATTRIBUTE_STATEMENT: "attributes"}
AUTHORITY: Final = "authority_"
"""How the name of each AuthenticatingAuthority begins."""


def _open(element: xml.Element, holes: Mapping[str, str]) -> None:
    """Make holes of instants, which the codec writes as times alone, and gaps of what there is in any number."""
    for name, value in element.items():
        element.attributes[name] = holes.get(value, value)
    for position, child in enumerate(element):
        if child.tag in _GAPS:
            element[position] = xml.gap(_GAPS[child.tag])
        else:
            _open(child, holes)


# In the gaps ----------------------------------------------------------------------------------------------------------

_DEPTH: Final = {SUBJECT: 2, ASSERTION: 1, ATTRIBUTE_STATEMENT: 2, ATTRIBUTE: 3}
"""How deep each of these stands in a response."""


def name_id(told: NameID | None, seal: Seal | None) -> Part:
    """The NameID, encrypted where it shall be; nothing where there is none."""
    if told is None:
        return NOTHING
    if seal is not None:
        return _part(SUBJECT, seal(_name_id_element(told), ENCRYPTED_ID))
    value, *said = told
    around = _around_name_id(*said)
    text = f"{around.start}{xml.content_text(NAME_ID, value)}{around.end}"
    return text, around.masked if value.strip() else around.empty


def attributes(told: Sequence[Attribute], seal: Seal | None) -> Part:
    """The statement with the attributes, each encrypted where they shall be; nothing where there are none."""
    if not told:
        return NOTHING
    if seal is not None:
        statement = xml.new(ATTRIBUTE_STATEMENT)
        statement.extend(seal(_attribute_element(each), ENCRYPTED_ATTRIBUTE) for each in told)
        return _part(ASSERTION, statement)
    values = [*map(_values_of, told)]
    text, lines = _statement(tuple(map(_names_of, told)), tuple(map(bool, values)))
    each = [*chain.from_iterable(values)]
    shown: Iterable[str]
    if xml.plain("".join(each)) and all(map(str.strip, each)):
        shown = map(_VALUE.masked.__mul__, map(len, values))
    else:
        values = [[xml.content_text(ATTRIBUTE_VALUE, value) for value in several] for several in values]
        shown = ["".join([_VALUE.masked if value.strip() else _VALUE.empty for value in several]) for several in values]
    return xml.filled(text, map(_NEXT_VALUE.join, values)), xml.filled(lines, shown)


class _Around(NamedTuple):
    """What is around the text of an element, its start tag and its end tag; and its line, with a text and without."""

    start: str
    end: str
    masked: str
    empty: str


def _around(parent: str, element: xml.Element) -> _Around:
    (line,) = outline.lines_of(element, _DEPTH[parent] + 1)
    masked, empty = (outline_text.line_text({**line, "text": text}) for text in (outline.MASKED, None))
    return _Around(*xml.tags_inside(parent, element), masked, empty)


@lru_cache(maxsize=1024)
def _around_name_id(*told: str | None) -> _Around:
    return _around(SUBJECT, _name_id_element(NameID("", *told)))


@lru_cache(maxsize=1024)
def _statement(
    names: tuple[tuple[str, str | None, str | None], ...], with_values: tuple[bool, ...]
) -> tuple[list[str], list[str]]:
    """The parts of the statement with attributes of these names, and of its lines: each second is for values."""
    start, end, _, line = _around(ASSERTION, xml.new(ATTRIBUTE_STATEMENT))
    text, lines = [start], [line]
    for (name, name_format, friendly_name), has_values in zip(names, with_values, strict=True):
        around = _around(ATTRIBUTE_STATEMENT, _attribute_element(Attribute(name, (), name_format, friendly_name)))
        first, last = (_VALUE.start, _VALUE.end) if has_values else NOTHING
        text[-1] += f"{around.start}{first}"
        text += "", f"{last}{around.end}"
        lines[-1] += around.empty
        lines += "", ""
    text[-1] += end
    return text, lines


_VALUE: Final = _around(ATTRIBUTE, xml.new(ATTRIBUTE_VALUE))
_NEXT_VALUE: Final = f"{_VALUE.end}{_VALUE.start}"
_names_of: Final = attrgetter("name", "name_format", "friendly_name")
_values_of: Final = attrgetter("values")


def _part(parent: str, element: xml.Element) -> Part:
    return xml.inside(parent, element), outline_text.lines_of(element, _DEPTH[parent] + 1)


def _name_id_element(told: NameID) -> xml.Element:
    holder = xml.new(SUBJECT)
    write_name_id(holder, told)
    return holder[0]


def _attribute_element(told: Attribute) -> xml.Element:
    holder = xml.new(ATTRIBUTE_STATEMENT)
    write_attribute(holder, told)
    return holder[0]
