"""The published XML schemas of metadata and its extensions, compiled once by lxml from the files that pysaml2 ships.

Schema validity is advice about a partner's document, never a gate: real metadata breaks it in ways that do no harm, and
what matters is checked by rules of its own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from lxml import etree
from saml2.data import schemas

from federation.saml.names import XSI

_SCHEMAS: Final = (
    ("urn:oasis:names:tc:SAML:2.0:metadata", "saml-schema-metadata-2.0.xsd"),
    ("urn:oasis:names:tc:SAML:metadata:ui", "sstc-saml-metadata-ui-v1.0.xsd"),
    ("urn:oasis:names:tc:SAML:metadata:attribute", "sstc-metadata-attr.xsd"),
    ("urn:oasis:names:tc:SAML:metadata:algsupport", "sstc-saml-metadata-algsupport-v1.0.xsd"),
)
_IMPORTS: Final = "".join(f'<xs:import namespace="{uri}" schemaLocation="{name}"/>' for uri, name in _SCHEMAS)
_LONGEST: Final = 300
_ENTRY: Final = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{_IMPORTS}</xs:schema>'


class _Packaged(etree.Resolver):
    """Answers every import from the packaged files, by the last part of its address. Nothing is ever fetched."""

    # lxml-stubs describe this class incompletely: the context argument, the empty answer, the optional base.
    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # type: ignore[override]
        resource = files(schemas) / (system_url or "").rpartition("/")[2]
        if not resource.name.endswith(".xsd") or not resource.is_file():
            return self.resolve_empty(context)  # type: ignore[attr-defined]
        return self.resolve_string(resource.read_bytes(), context)  # type: ignore[call-arg]


def compile_schema(text: str) -> etree.XMLSchema:
    """Compile a schema whose imports are among the packaged files; any other import is answered with nothing."""
    parser = etree.XMLParser(no_network=True, load_dtd=False)
    parser.resolvers.add(_Packaged())
    return etree.XMLSchema(etree.fromstring(text, parser))


@cache
def _metadata_schema() -> etree.XMLSchema:
    return compile_schema(_ENTRY)


def schema_problems(element: etree._Element, limit: int = 10) -> tuple[str, ...]:
    """The first few ways in which an element breaks the schemas, in the validator's words without its namespaces."""
    schema = _metadata_schema()
    if schema.validate(element):
        return ()
    log: Any = schema.error_log
    found = (entry.message for entry in log if not _is_type_without_namespace(entry.message))
    return tuple(_plain(message) for message in islice(found, limit))


def _is_type_without_namespace(message: str) -> bool:
    """An xsi:type whose prefix is gone: exclusive canonicalisation drops declarations that only a value uses."""
    return f"{{{XSI}}}type" in message and "no corresponding namespace declaration" in message


def _plain(message: str) -> str:
    """One line of bounded length, without the namespaces: they make it unreadable and are the standard ones anyway."""
    for uri, _ in _SCHEMAS:
        message = message.replace(f"{{{uri}}}", "")
    return " ".join(message.split())[:_LONGEST]
