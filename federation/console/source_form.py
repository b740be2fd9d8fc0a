"""The form that a source of metadata is added and changed by: what was typed, and what it means."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, Final

from pyramid.request import Request

from federation.errors import ConfigurationError, Malformed
from federation.registry.columns import MDQ, UPLOAD, URL, SourceColumns
from federation.registry.sources import NewSource
from federation.registry.widening import Rule
from federation.saml import certificates

_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_TEXTS: Final = (
    "name", "kind", "location", "text", "entity_id", "signers", "named_host", "max_validity", "every", "at_most_every",
    "precedence", "registrars", "categories", "entity_ids", "widening",
)  # fmt: skip
_LISTS: Final = ("exceptions", "roles")
KINDS: Final = (
    (URL, "The address of a document, fetched again in time"),
    (UPLOAD, "A document that I bring now"),
    (MDQ, "A Metadata Query responder, asked about one entity at a time"),
)
WIDENING: Final = (
    (Rule.SAME_HOST.value, "keys, and endpoints on the hosts it has; the rest is reviewed"),
    (Rule.REVIEW.value, "nothing that widens trust: all of it is reviewed"),
    (Rule.AT_ONCE.value, "everything"),
)
EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_TEXTS, ""),
    **dict.fromkeys(_LISTS, ()),
    "kind": URL,
    "every": "24",
    "at_most_every": "1",
    "precedence": "100",
    "widening": Rule.SAME_HOST.value,
}


@dataclass(frozen=True, slots=True)
class DefaultsForm:
    """What an app says of all entities of a federation's source, as a part of the form.

    `template` has the macro `fields(ui, typed, choices)`. `choices` is what can be chosen, `typed` reads a request,
    `kept` a source's defaults, and `meant` makes of what was typed the defaults that are kept beside what a source had;
    it raises `FederationError`.
    """

    template: str
    choices: Callable[[Request], Mapping[str, Any]]
    typed: Callable[[Request], Mapping[str, Any]]
    kept: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    meant: Callable[[Request, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


def typed_in(request: Request) -> dict[str, Any]:
    """What a form brought, as it is shown again; certificates that came as a file stand among the signers then."""
    post = request.POST
    typed: dict[str, Any] = {name: str(post.get(name, "")) for name in _TEXTS if not _is_file(post.get(name))}
    typed |= {name: tuple(map(str, post.getall(name))) for name in _LISTS}
    brought = post.get("signer_file")
    if _is_file(brought):
        try:
            der = certificates.load_certificate(brought.file.read(65_536))
        except Malformed:
            typed["signers"] = f"{typed['signers'].strip()}\n{brought.filename} is no certificate".strip()
        else:
            pem = base64.encodebytes(der).decode()
            typed["signers"] = (
                f"{typed['signers'].strip()}\n-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----".strip()
            )
    return {**EMPTY, **typed}


def document_in(request: Request) -> tuple[str, IO[bytes]] | None:
    """The name and the octets of a document that came as a file, or None."""
    brought = request.POST.get("file")
    return (str(brought.filename)[:200], brought.file) if _is_file(brought) else None


def typed_of(source: SourceColumns) -> dict[str, Any]:
    """A source as the form shows it."""
    pems = [
        f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(base64.b64decode(each)).decode()}-----END CERTIFICATE-----"
        for each in source.signer_certificates
    ]
    return {
        **EMPTY,
        "name": source.name,
        "kind": source.kind,
        "location": source.location,
        "entity_id": source.entity_id or "",
        "signers": "\n".join([*source.signer_fingerprints, *pems]),
        "named_host": source.named_host or "",
        "max_validity": _number(source.max_validity / 86400),
        "exceptions": tuple(source.exceptions),
        "every": _number(source.longest_interval / 3600),
        "at_most_every": _number(source.shortest_interval / 3600),
        "precedence": str(source.precedence),
        "roles": tuple(source.selection.get("roles", ())),
        **{part: "\n".join(source.selection.get(part, ())) for part in ("registrars", "categories", "entity_ids")},
        "widening": source.widening,
    }


def meant_by(typed: Mapping[str, Any], defaults: Mapping[str, Any]) -> NewSource:
    """The source that was described. Raises `ConfigurationError` with every value that cannot be read."""
    problems: list[str] = []
    fingerprints, ders = _signers(typed["signers"], problems)
    entity_id = typed["entity_id"].strip() or None
    validity = typed["max_validity"].strip()
    days = _amount("the longest validity", validity, 3650, problems) if validity else None
    hours = {name: _amount(text, typed[name], 720, problems) for name, text in _HOURS}
    precedence = typed["precedence"].strip()
    if not (precedence.isascii() and precedence.isdigit() and len(precedence) <= 6):
        problems.append("the precedence is a whole number such as 100")
    if entity_id is not None and typed["widening"] not in {rule.value for rule in Rule}:
        problems.append("what may widen trust is not one of the choices")
    if problems:
        raise ConfigurationError(*problems)
    return NewSource(
        name=typed["name"],
        kind=typed["kind"],
        location=typed["location"].strip(),
        entity_id=entity_id,
        precedence=int(precedence),
        signer_fingerprints=fingerprints,
        signer_certificates=ders,
        named_host=typed["named_host"].strip() or None,
        max_validity=None if days is None else timedelta(days=days),
        exceptions=typed["exceptions"],
        shortest_interval=timedelta(hours=hours["at_most_every"]),
        longest_interval=timedelta(hours=hours["every"]),
        selection={
            "roles": typed["roles"],
            **{part: typed[part].split() for part in ("registrars", "categories", "entity_ids")},
        },
        widening=None if entity_id is None else Rule(typed["widening"]),
        defaults={} if entity_id is not None else defaults,
    )


_HOURS: Final = (
    ("every", "how often it is refreshed at least"),
    ("at_most_every", "how often it is refreshed at most"),
)


def _signers(text: str, problems: list[str]) -> tuple[Sequence[str], Sequence[bytes]]:
    """Fingerprints, a line each, and certificates in between."""
    ders = []
    for pem in _CERTIFICATE.findall(text):
        try:
            ders.append(certificates.load_certificate(pem.encode()))
        except Malformed:
            problems.append("one of the certificates cannot be read")
    lines = [line.strip() for line in _CERTIFICATE.sub("\n", text).splitlines() if line.strip()]
    return lines, ders


def _amount(what: str, text: str, most: int, problems: list[str]) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0.02 <= amount <= most:
        problems.append(f"{what} is a number up to {most}")
        return 1.0
    return amount


def _number(amount: float) -> str:
    return f"{amount:g}"


def _is_file(value: object) -> bool:
    return hasattr(value, "file")
