"""Say for a message whether it would be accepted, and why: every check with what it expected and received.

The checks are those of the sites themselves, run on files and at a time of your choosing; nothing is sent or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from federation.cli.output import as_json
from federation.errors import FederationError

if TYPE_CHECKING:
    from federation.saml.encryption import DecryptionKey
    from federation.saml.messages import Received
    from federation.saml.metadata.entity import Endpoint, Entity
    from federation.saml.profiles.explanation import Explanation

REFUSED = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def explain() -> None:
    """Say whether a message would be accepted, and why."""


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_partners = _options(
    click.option(
        "--idp-metadata", type=_FILE, required=True, help="The identity provider's metadata, trusted as it is."
    ),
    click.option("--sp-metadata", type=_FILE, required=True, help="The service provider's metadata, trusted as it is."),
    click.option("--now", "now_text", metavar="ISO8601", help="The time to judge by; the clock's when left out."),
)
_keys = click.option(
    "--decryption-key", "key_files", type=_FILE, multiple=True, help="PEM private key; may be given several times."
)
_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
_binding = click.option(
    "--binding", type=click.Choice(["redirect", "post", "soap"]), required=True, help="How the message travels."
)


@explain.command()
@click.argument("file", type=_FILE)
@_partners
@click.option("--acs", required=True, metavar="URL", help="The address at the service provider where it arrived.")
@click.option("--request-id", help="ID of the request that it answers.")
@click.option("--allow-unsolicited", is_flag=True, help="Accept one that answers no request.")
@_keys
@_json
def response(
    file: Path,
    idp_metadata: Path,
    sp_metadata: Path,
    now_text: str | None,
    acs: str,
    request_id: str | None,
    allow_unsolicited: bool,
    key_files: Sequence[Path],
    json_wanted: bool,
) -> None:
    """Explain a Response as the service provider judges it. FILE holds the XML, or the base64 as posted."""
    from federation.attributes import scopes
    from federation.saml.bindings.parameters import RESPONSE
    from federation.saml.profiles import explanation, sso_response

    if request_id is None and not allow_unsolicited:
        raise click.UsageError("Give --request-id, or --allow-unsolicited for a response that answers no request.")
    now, keys = _now(now_text), _decryption_keys(key_files)
    sp, idps = _entity(sp_metadata, "sp"), _entities(idp_metadata, "idp")

    def judge() -> Explanation:
        received = _posted(file.read_bytes(), RESPONSE)
        expected = sso_response.ResponseExpectations(
            sp_entity_id=sp.entity_id,
            acs_url=acs,
            idp=_named(idps, lambda: sso_response.issuer_of(received)),
            now=now,
            request_id=request_id,
            allow_unsolicited=allow_unsolicited,
            decryption_keys=keys,
        )
        result = sso_response.accept(received, expected)
        name_id = None if result.name_id is None else result.name_id.value
        attributes, scoped = scopes.believed(result.attributes, expected.idp)
        return explanation.accepted((*result.checks, *scoped), name_id=name_id, attributes=attributes)

    _show(judge, json_wanted)


@explain.command()
@click.argument("source", metavar="FILE_OR_URL")
@_binding
@_partners
@_keys
@_json
def request(
    source: str,
    binding: str,
    idp_metadata: Path,
    sp_metadata: Path,
    now_text: str | None,
    key_files: Sequence[Path],
    json_wanted: bool,
) -> None:
    """Explain an AuthnRequest as the identity provider judges it.

    For redirect, FILE_OR_URL is the whole address or a file that holds it; else a file with the XML, or with the base64
    as posted.
    """
    from federation.saml.bindings.parameters import REQUEST
    from federation.saml.profiles import explanation, sso_request

    now, keys = _now(now_text), _decryption_keys(key_files)
    idp, sps = _entity(idp_metadata, "idp"), _entities(sp_metadata, "sp")
    octets = _source(source)

    def judge() -> Explanation:
        received = _received(octets, binding, REQUEST)
        assert idp.idp is not None
        result = sso_request.accept(
            received,
            expected_destination=_address(idp.idp.single_sign_on, binding, octets),
            idp_entity_id=idp.entity_id,
            partner=_named(sps, lambda: sso_request.issuer_of(received)),
            now=now,
            want_signed=idp.idp.want_authn_requests_signed,
            decryption_keys=keys,
        )
        return explanation.accepted(result.checks)

    _show(judge, json_wanted)


@explain.command()
@click.argument("source", metavar="FILE_OR_URL")
@_binding
@_partners
@click.option("--request-id", help="ID of the request that a LogoutResponse answers.")
@_keys
@_json
def logout(
    source: str,
    binding: str,
    idp_metadata: Path,
    sp_metadata: Path,
    now_text: str | None,
    request_id: str | None,
    key_files: Sequence[Path],
    json_wanted: bool,
) -> None:
    """Explain a LogoutRequest or LogoutResponse as the side that receives it judges it.

    Which side that is follows from the message's Issuer. FILE_OR_URL as for `explain request`.
    """
    from federation.saml.profiles import explanation
    from federation.saml.profiles import logout as profile
    from federation.saml.profiles.logout_rules import LogoutExpectations

    now, keys = _now(now_text), _decryption_keys(key_files)
    idp, sp = _entity(idp_metadata, "idp"), _entity(sp_metadata, "sp")
    octets = _source(source)

    def judge() -> Explanation:
        received = _received(octets, binding, None)
        partner, receiver = (idp, sp.sp) if profile.issuer_of(received) == idp.entity_id else (sp, idp.idp)
        role = idp.idp if partner is idp else sp.sp
        assert role is not None
        assert receiver is not None
        is_response = received.parameter == "SAMLResponse"
        expected = LogoutExpectations(
            destination=_address(receiver.single_logout, binding, octets, response=is_response),
            partner=partner,
            role=role,
            now=now,
            request_id=request_id,
        )
        if is_response:
            return explanation.accepted(profile.accept_response(received, expected).checks)
        result = profile.accept_request(received, expected, decryption_keys=keys)
        return explanation.accepted(result.checks, name_id=result.request.name_id.value)

    _show(judge, json_wanted)


# Input ----------------------------------------------------------------------------------------------------------------


def _now(text: str | None) -> datetime:
    from datetime import UTC

    from federation.saml.times import parse_instant

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_instant(text)
    except FederationError:
        raise click.BadParameter(f"{text!r} is not an instant like 2026-03-01T12:00:00Z.", param_hint="--now") from None


def _entities(file: Path, role: str) -> list[Entity]:
    from federation.saml.metadata.reading import read_document

    try:
        entities = read_document(file.read_bytes())
    except FederationError as error:
        raise click.BadParameter(f"{file}: {error.message}", param_hint=f"--{role}-metadata") from None
    fitting = [entity for entity in entities if getattr(entity, role) is not None]
    if not fitting:
        raise click.BadParameter(f"{file} describes no {role.upper()}.", param_hint=f"--{role}-metadata")
    return fitting


def _entity(file: Path, role: str) -> Entity:
    entities = _entities(file, role)
    if len(entities) > 1:
        raise click.BadParameter(f"{file} describes more than one {role.upper()}.", param_hint=f"--{role}-metadata")
    return entities[0]


def _named(entities: Sequence[Entity], issuer_of: Callable[[], str]) -> Entity:
    """The entity that the message names, or the first, so that the profile itself says that the Issuer is wrong."""
    if len(entities) == 1:
        return entities[0]
    issuer = issuer_of()
    return next((entity for entity in entities if entity.entity_id == issuer), entities[0])


def _decryption_keys(files: Sequence[Path]) -> list[DecryptionKey]:
    from federation.saml.encryption import DecryptionKey

    try:
        return [DecryptionKey.from_pem(file.read_bytes()) for file in files]
    except FederationError as error:
        raise click.BadParameter(error.message, param_hint="--decryption-key") from None


def _source(text: str) -> bytes:
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


def _received(octets: bytes, binding: str, parameter: str | None) -> Received:
    from dataclasses import replace

    from federation.saml.bindings import redirect, soap
    from federation.saml.names import Binding

    if binding == "redirect" and _is_query(octets):
        return redirect.decode(octets.partition(b"?")[2] if b"?" in octets else octets)
    if binding == "soap" and b"Envelope" in octets[:1000]:
        return soap.decode(octets)
    # The message by itself: without the envelope, or without the query that would hold its signature.
    names = {"redirect": Binding.REDIRECT, "soap": Binding.SOAP, "post": Binding.POST}
    return replace(_posted(octets, parameter), binding=names[binding])


def _posted(octets: bytes, parameter: str | None) -> Received:
    """A message of the POST binding, from its XML, its base64, or the whole form as a browser sends it.

    `parameter` is None where the message itself says whether it is a request or a response.
    """
    from urllib.parse import parse_qsl

    from federation.saml import xml
    from federation.saml.bindings import post
    from federation.saml.bindings.parameters import REQUEST, RESPONSE, decode_base64
    from federation.saml.messages import Received
    from federation.saml.names import Binding

    text = octets.strip().decode("latin-1")
    if text.startswith(("SAMLRequest=", "SAMLResponse=", "RelayState=")):
        return post.decode(parse_qsl(text, keep_blank_values=True))
    markup = text.startswith(("<", "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"))
    document = octets.strip() if markup else decode_base64(text, "post.base64")
    if parameter is None:
        parameter = RESPONSE if xml.local_name(xml.parse(document)).endswith("Response") else REQUEST
    return Received(Binding.POST, parameter, document)


def _address(endpoints: Sequence[Endpoint], binding: str, octets: bytes, *, response: bool = False) -> str:
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


# Output ---------------------------------------------------------------------------------------------------------------


def _show(judge: Callable[[], Explanation], json_wanted: bool) -> None:
    from federation.saml.profiles import explanation

    try:
        result = judge()
    except FederationError as error:
        result = explanation.refused(error)
    if json_wanted:
        as_json(result.as_json())
    else:
        _print(result)
    if not result.accepted:
        click.get_current_context().exit(REFUSED)


def _print(result: Explanation) -> None:
    for check in result.checks:
        click.echo(f"{'ok     ' if check.ok else 'REFUSED'}  {check.rule}  ({check.reference})")
        if not check.ok:
            click.echo(f"         expected  {check.expected}\n         received  {check.received}")
    if not result.accepted:
        click.echo(f"\nRefused: {result.message}")
        return
    click.echo(f"\nAccepted after {len(result.checks)} checks.")
    if result.name_id is not None:
        click.echo(f"NameID  {result.name_id}")
    for name, values in result.attributes.items():
        click.echo(f"{name}  {', '.join(values)}")
