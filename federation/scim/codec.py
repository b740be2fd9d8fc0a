"""From the JSON that arrives to a document: canonical names, checked types, nothing that the client may not write.

A document is a dict of canonical attribute names, extensions under their URN. It never holds `id`, `meta`, `schemas`, a
null, an empty list, or an attribute whose values are rows of their own. What is unknown is ignored, always: clients
send schemas and attributes of their own (Microsoft Entra's group schema), and refusing them would refuse the person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from federation.scim.errors import invalid_syntax, invalid_value
from federation.scim.schema import MAX_VALUES, Attribute, ResourceType

Document = dict[str, Any]
_BOOLEANS: Final = {"true": True, "false": False}


def load(body: bytes) -> Any:
    """Parse a JSON body. Raises `ScimError` (invalidSyntax) for whatever is not JSON in UTF-8 of a bearable depth."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise invalid_syntax("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise invalid_syntax("the body is not JSON that can be read") from None


def load_object(body: bytes) -> Mapping[str, Any]:
    """Parse a JSON body that has to be an object. Raises `ScimError` (invalidSyntax)."""
    return expect_object(load(body))


def expect_object(value: Any) -> Mapping[str, Any]:
    """The value, which has to be a JSON object. Raises `ScimError` (invalidSyntax)."""
    if not isinstance(value, dict):
        raise invalid_syntax("a JSON object is expected")
    return value


def dump(value: Any) -> bytes:
    """JSON in UTF-8, without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def field(message: Mapping[str, Any], name: str) -> Any:
    """A member of a message (PatchOp, BulkRequest, SearchRequest), letter case aside, or None."""
    if name in message:
        return message[name]
    return next((value for key, value in message.items() if key.lower() == name.lower()), None)


def read(data: Mapping[str, Any], kind: ResourceType) -> Document:
    """Read a whole resource. Raises `ScimError` (invalidValue, invalidSyntax). None is required yet."""
    document = _attributes(data, kind.find_own)
    for key, value in data.items():
        extension = kind.extension(key)
        if extension is None or value is None:
            continue
        if not isinstance(value, dict):
            raise invalid_value(f"{extension.name} is not an object")
        if inner := _attributes(value, extension.attribute):
            document[extension.urn] = inner
    return document


def require(document: Mapping[str, Any], kind: ResourceType) -> None:
    """Raise `ScimError` (invalidValue) where a required attribute is unassigned."""
    for attribute in kind.attributes:
        if attribute.required and document.get(attribute.name) in (None, "", []):
            raise invalid_value(f"{attribute.name} is required")


def schemas_of(document: Mapping[str, Any], kind: ResourceType) -> list[str]:
    """The URNs that a resource names: its own, and those of the extensions with a value (RFC 7643 3)."""
    return [kind.schema.urn, *(extension.urn for extension in kind.extensions if extension.urn in document)]


def read_value(attribute: Attribute, value: Any) -> Any:
    """One attribute's value: checked and in canonical form, or None where it amounts to nothing.

    Raises `ScimError` (invalidValue).
    """
    if attribute.multi_valued:
        return _many(attribute, value) or None
    if isinstance(value, list) and attribute.type == "complex" and len(value) == 1:
        value = value[0]  # Entra sends the manager so
    return read_single(attribute, value)


def read_single(attribute: Attribute, value: Any) -> Any:
    """One value of an attribute, be it multi-valued or not. Raises `ScimError` (invalidValue)."""
    return None if value is None else _READERS[attribute.type](attribute, value)


def _attributes(data: Mapping[str, Any], find: Callable[[str], Attribute | None]) -> Document:
    document: Document = {}
    for key, value in data.items():
        attribute = find(key)
        if attribute is None or attribute.read_only or attribute.edges:
            continue
        if attribute.name in document:
            raise invalid_syntax(f"{attribute.name} is given twice")
        read_ = read_value(attribute, value)
        if read_ is not None:
            document[attribute.name] = read_
    return document


def _many(attribute: Attribute, value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if len(values) > MAX_VALUES:
        raise invalid_value(f"{attribute.name} has more than {MAX_VALUES} values")
    found: list[Any] = []
    for each in values:
        single = read_single(attribute, each)
        if single is not None and single not in found:
            found.append(single)
    if sum(1 for each in found if isinstance(each, dict) and each.get("primary") is True) > 1:
        raise invalid_value(f"{attribute.name} has more than one primary value")
    return found


def _text(attribute: Attribute, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid_value(f"{attribute.name} is not a text")
    text = str(value)
    if len(text) > attribute.max_length:
        raise invalid_value(f"{attribute.name} has more than {attribute.max_length} characters")
    if not text.isprintable() or not text.isascii():
        _require_storable(attribute, text)
    return text or None


def _require_storable(attribute: Attribute, text: str) -> None:
    """No database keeps NUL and lone surrogates, and no JSON text should have held them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid_value(f"{attribute.name} is not a text in Unicode") from None
    if "\0" in text:
        raise invalid_value(f"{attribute.name} holds a NUL character")


def _boolean(attribute: Attribute, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:  # Entra sends "False"
        return _BOOLEANS[value.lower()]
    raise invalid_value(f"{attribute.name} is neither true nor false")


def _complex(attribute: Attribute, value: Any) -> Document | None:
    if not isinstance(value, dict):
        simple = attribute.sub("value")
        if simple is None or isinstance(value, list):
            raise invalid_value(f"{attribute.name} is not an object")
        value = {simple.name: value}
    document: Document = {}
    for key, each in value.items():
        sub = attribute.sub(key)
        if sub is None or sub.read_only or each is None:
            continue
        if sub.name in document:
            raise invalid_syntax(f"{attribute.name}.{sub.name} is given twice")
        read_ = read_single(sub, each)
        if read_ is not None:
            document[sub.name] = read_
    return document or None


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


_READERS: Final[Mapping[str, Callable[[Attribute, Any], Any]]] = {
    "string": _text,
    "reference": _text,
    "boolean": _boolean,
    "complex": _complex,
}
