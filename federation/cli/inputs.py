"""What `explain` reads: messages as they were saved, metadata, keys, a time. A mistake in one of them is misuse.

Whatever is wrong with a message itself is no misuse but what is to be explained: it stays an error of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from federation.errors import FederationError

if TYPE_CHECKING:
    from federation.saml.algorithms import Algorithms
    from federation.saml.encryption import DecryptionKey
    from federation.saml.messages import Received
    from federation.saml.metadata.entity import Endpoint, Entity


def instant(text: str | None) -> datetime:
    """The time to judge by: the clock's where none is given."""
    from datetime import UTC

    from federation.saml.times import parse_instant

    if text is None:
        return datetime.now(UTC)
    try:
        given = parse_instant(text)
    except FederationError:
        given = None
    if given is None or not 1970 <= given.year < 9999:
        raise click.BadParameter(f"{text!r} is not an instant like 2026-03-01T12:00:00Z.", param_hint="--now")
    return given


def read_entities(file: Path, role: str) -> list[Entity]:
    """The entities of a document that have a role."""
    from federation.saml.metadata.reading import read_document

    try:
        entities = read_document(file.read_bytes())
    except FederationError as error:
        raise click.BadParameter(f"{file}: {error.message}", param_hint=f"--{role}-metadata") from None
    fitting = [entity for entity in entities if getattr(entity, role) is not None]
    if not fitting:
        raise click.BadParameter(f"{file} describes no {role.upper()}.", param_hint=f"--{role}-metadata")
    return fitting


def read_entity(file: Path, role: str) -> Entity:
    """The one entity of a document that has a role."""
    entities = read_entities(file, role)
    if len(entities) > 1:
        raise click.BadParameter(f"{file} describes more than one {role.upper()}.", param_hint=f"--{role}-metadata")
    return entities[0]


def issuing(entities: Sequence[Entity], issuer_of: Callable[[], str]) -> Entity:
    """The entity that the message names, or the first, so that the profile itself says that the Issuer is wrong."""
    if len(entities) == 1:
        return entities[0]
    issuer = issuer_of()
    return next((entity for entity in entities if entity.entity_id == issuer), entities[0])


def read_keys(files: Sequence[Path]) -> list[DecryptionKey]:
    """Private keys to decrypt with."""
    from federation.saml.encryption import DecryptionKey

    try:
        return [DecryptionKey.from_pem(file.read_bytes()) for file in files]
    except FederationError as error:
        raise click.BadParameter(error.message, param_hint="--decryption-key") from None


def read_source(text: str) -> bytes:
    """The octets of a message: an address as it is, anything else the content of a file."""
    if _is_query(text.encode()):
        return text.encode()
    try:
        return Path(text).read_bytes().strip()
    except OSError as error:
        raise click.BadParameter(f"{text}: {error.strerror}.", param_hint="FILE_OR_URL") from None


def _is_query(octets: bytes) -> bool:
    """Whether it is an address, or the query of one."""
    return octets.startswith((b"https://", b"http://", b"?", b"SAMLRequest=", b"SAMLResponse=", b"RelayState="))


def as_received(octets: bytes, binding: str, parameter: str | None) -> Received:
    """The message as the binding would have delivered it."""
    from federation.saml.bindings import redirect, soap
    from federation.saml.names import Binding

    if binding == "redirect" and _is_query(octets):
        return redirect.decode(octets.partition(b"?")[2] if b"?" in octets else octets)
    if binding == "soap" and b"Envelope" in octets[:1000]:
        return soap.decode(octets)
    # The message by itself: without the envelope, or without the query that would hold its signature.
    names = {"redirect": Binding.REDIRECT, "soap": Binding.SOAP, "post": Binding.POST}
    return as_posted(octets, parameter)._replace(binding=names[binding])


def as_posted(octets: bytes, parameter: str | None) -> Received:
    """A message of the POST binding: its XML, its base64 (as it is or as a form has it), or a browser's whole form.

    `parameter` is None where the message itself says whether it is a request or a response.
    """
    from urllib.parse import parse_qsl, unquote

    from federation.saml import xml
    from federation.saml.bindings import post
    from federation.saml.bindings.parameters import REQUEST, RESPONSE, decode_base64
    from federation.saml.messages import Received
    from federation.saml.names import Binding

    text = octets.strip().decode("latin-1")
    if text.startswith(("SAMLRequest=", "SAMLResponse=", "RelayState=")):
        return post.decode(parse_qsl(text, keep_blank_values=True))
    markup = text.startswith(("<", "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"))
    document = octets.strip() if markup else decode_base64(unquote(text), "post.base64")
    if parameter is None:
        parameter = RESPONSE if xml.local_name(xml.parse(document)).endswith("Response") else REQUEST
    return Received(Binding.POST, parameter, document)


def address_of(endpoints: Sequence[Endpoint], binding: str, octets: bytes, *, response: bool = False) -> str:
    """Where the message must have been sent: the receiver's endpoint for the binding, from its metadata.

    Among several the one that the given address names, else the first. Where there is none for the binding, a rule of
    the profile refuses the message: asking was no misuse.
    """
    from federation.saml.names import Binding

    uri = {"redirect": Binding.REDIRECT, "post": Binding.POST, "soap": Binding.SOAP}[binding]
    fitting = [
        (endpoint.response_location or endpoint.location) if response else endpoint.location
        for endpoint in endpoints
        if endpoint.binding == uri
    ]
    if not fitting:
        return f"no endpoint for {binding} in the receiver's metadata"
    sent_to = octets.partition(b"?")[0].decode("latin-1")
    return sent_to if sent_to in fitting else fitting[0]


def algorithms(presets: Sequence[str]) -> Algorithms:
    """What a connection with these presets may use; `default`, or none, is strict."""
    from federation.saml.algorithms import allowed, presets_named

    try:
        return allowed(presets_named(presets))
    except FederationError as error:
        raise click.BadParameter(f"{error.message}.", param_hint="--preset") from None
