"""Reading filters and PATCH paths (RFC 7644 3.4.2.2, 3.5.2): recursive descent over the tokens, under limits.

Beyond the grammar, because clients send it and a miss would make them create a duplicate: a sub-attribute after a value
filter (`emails[type eq "work"].value eq "x"`), and a value without quotes (`externalId eq jyoung`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from federation.scim.errors import ScimError, invalid_filter, invalid_path
from federation.scim.filters.tokens import Token, number, tokenize
from federation.scim.filters.tree import OPERATORS, And, Comparison, Filter, Literal, Never, Not, Or, Present, ValuePath
from federation.scim.schema import Place, ResourceType

MAX_DEPTH: Final = 16
"""How deep parentheses and brackets may be nested."""
MAX_COMPARISONS: Final = 300
"""How many comparisons a filter may have."""
_ORDERED: Final = ("gt", "ge", "lt", "le")
_TEXTUAL: Final = ("co", "sw", "ew")
_END: Final = Token("end", "")

Resolver = Callable[[str], Place | None]


@dataclass(frozen=True, slots=True)
class PatchPath:
    """The path of a PATCH operation: what it means, and which of its values: those that `inner` matches."""

    place: Place
    inner: Filter | None


def parse_filter(text: str, kind: ResourceType, *, unknown_is_false: bool = False) -> Filter:
    """Read a filter on resources of one type. Raises `ScimError` (invalidFilter).

    `unknown_is_false`: an attribute that the type does not have matches nothing instead of being an error, as in a
    search over all types (3.4.2.1).
    """
    parser = _Parser(tokenize(text), kind.find, unknown_is_false=unknown_is_false)
    found = parser.disjunction()
    parser.finish()
    return found


def parse_path(text: str, kind: ResourceType) -> PatchPath:
    """Read the path of a PATCH operation. Raises `ScimError` (invalidPath)."""
    try:
        parser = _Parser(tokenize(text), kind.find, unknown_is_false=False)
        path = parser.path()
        parser.finish()
    except ScimError as error:
        raise invalid_path(error.detail) from None
    return path


class _Parser:
    """One reading of one list of tokens. `resolve` finds attributes; inside brackets it finds parts of the value."""

    def __init__(self, tokens: tuple[Token, ...], resolve: Resolver, *, unknown_is_false: bool) -> None:
        self._tokens = tokens
        self._next = 0
        self._resolve = resolve
        self._unknown_is_false = unknown_is_false
        self._depth = 0
        self._comparisons = 0

    def disjunction(self) -> Filter:
        """`or` binds least."""
        parts = [self._conjunction()]
        while self._peek().is_word("or"):
            self._take()
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def path(self) -> PatchPath:
        """`attribute`, `attribute.sub`, `attribute[filter]` or `attribute[filter].sub`."""
        name = self._take()
        place = self._place(name.text) if name.kind == "word" else None
        if place is None:
            raise invalid_filter("the path names no attribute")
        if not self._at("["):
            return PatchPath(place, None)
        inner = self._bracket(place)
        part = self._part_after_bracket(place)
        return PatchPath(part or place, inner)

    def finish(self) -> None:
        """Nothing may be left over."""
        if self._peek() is not _END:
            raise invalid_filter(f"nothing is expected at {_shown(self._peek())}")

    def _conjunction(self) -> Filter:
        parts = [self._term()]
        while self._peek().is_word("and"):
            self._take()
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _term(self) -> Filter:
        if self._at("("):
            return self._group()
        token = self._take()
        if token.is_word("not") and self._at("("):
            return Not(self._group())
        if token.kind != "word":
            raise invalid_filter(f"an attribute is expected, not {_shown(token)}")
        place = self._place(token.text)
        if self._at("["):
            return self._value_path(place)
        return self._comparison(place)

    def _group(self) -> Filter:
        self._enter("(")
        found = self.disjunction()
        self._leave(")")
        return found

    def _value_path(self, place: Place | None) -> Filter:
        if place is None:
            raise invalid_filter("brackets follow an attribute that does not exist")
        inner = self._bracket(place)
        part = self._part_after_bracket(place)
        if part is None:
            return ValuePath(place, inner)
        # The same value has to satisfy both, so the comparison goes into the brackets.
        return ValuePath(place, And((inner, self._comparison(Place(None, part.leaf)))))

    def _bracket(self, place: Place) -> Filter:
        if place.sub is not None or place.attribute.type != "complex":
            raise invalid_filter(f"{place.path} has no parts to filter by")
        outer, self._resolve = self._resolve, _parts_of(place)
        self._enter("[")
        inner = self.disjunction()
        self._leave("]")
        self._resolve = outer
        return inner

    def _part_after_bracket(self, place: Place) -> Place | None:
        """The `.sub` that may follow a closing bracket."""
        token = self._peek()
        if token.kind != "word" or not token.text.startswith("."):
            return None
        self._take()
        part = place.attribute.sub(token.text[1:])
        if part is None:
            raise invalid_filter(f"{place.path} has no part {token.text[1:]!r}")
        return Place(place.urn, place.attribute, part)

    def _comparison(self, place: Place | None) -> Filter:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise invalid_filter(f"the filter has more than {MAX_COMPARISONS} comparisons")
        operator = self._take()
        if operator.is_word("pr"):
            return Never() if place is None else Present(place)
        if not operator.is_word(*OPERATORS):
            raise invalid_filter(f"an operator is expected, not {_shown(operator)}")
        value = self._literal()
        return Never() if place is None else _compared(_value_of(place), operator.text.lower(), value)

    def _literal(self) -> Literal:
        token = self._take()
        if token.kind == "string":
            return token.text
        if token.kind != "word":
            raise invalid_filter(f"a value is expected, not {_shown(token)}")
        constants: dict[str, Literal] = {"true": True, "false": False, "null": None}
        if token.text.lower() in constants:
            return constants[token.text.lower()]
        found = number(token.text)
        return token.text if found is None else found

    def _place(self, name: str) -> Place | None:
        place = self._resolve(name)
        if place is None and not self._unknown_is_false:
            raise invalid_filter(f"there is no attribute {name[:100]!r}")
        return place

    def _enter(self, opening: str) -> None:
        self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise invalid_filter(f"{opening} is nested deeper than {MAX_DEPTH}")

    def _leave(self, closing: str) -> None:
        if not self._at(closing):
            raise invalid_filter(f"{closing} is missing")
        self._take()
        self._depth -= 1

    def _at(self, punctuation: str) -> bool:
        return self._peek() == Token("punctuation", punctuation)

    def _peek(self) -> Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token


def _parts_of(place: Place) -> Resolver:
    def resolve(name: str) -> Place | None:
        part = place.attribute.sub(name)
        return None if part is None else Place(None, part)

    return resolve


def _value_of(place: Place) -> Place:
    """A complex attribute that is named without a part means its `value` (RFC 7644 3.4.2.2)."""
    if place.leaf.type != "complex":
        return place
    value = place.attribute.sub("value") if place.sub is None else None
    if value is None:
        raise invalid_filter(f"{place.path} has no value to compare: name one of its parts")
    return Place(place.urn, place.attribute, value)


def _compared(place: Place, operator: str, value: Literal) -> Comparison:
    """Check that the operator and the value fit the attribute's type."""
    kind = place.leaf.type
    if value is None:
        if operator not in ("eq", "ne"):
            raise invalid_filter(f"{operator} cannot compare with null")
        return Comparison(place, operator, None)
    if kind == "boolean":
        return Comparison(place, operator, _boolean(place, operator, value))
    if kind == "dateTime":
        return Comparison(place, operator, _instant(place, operator, value))
    # A number or a truth value was written without quotes where a text is meant.
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return Comparison(place, operator, text)


def _boolean(place: Place, operator: str, value: Literal) -> bool:
    if operator in _ORDERED or operator in _TEXTUAL:
        raise invalid_filter(f"{place.path} is true or false: {operator} does not apply")
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise invalid_filter(f"{place.path} is compared with true or false")
    return value


def _instant(place: Place, operator: str, value: Literal) -> datetime:
    if operator in _TEXTUAL:
        raise invalid_filter(f"{place.path} is a time: {operator} does not apply")
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid_filter(f"{place.path} is compared with a time such as 2026-01-31T12:00:00Z") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _shown(token: Token) -> str:
    """A token in an error message; a quoted value is not repeated, for it may be personal."""
    match token.kind:
        case "end":
            return "the end"
        case "string":
            return "a quoted value"
        case _:
            return repr(token.text[:40])
