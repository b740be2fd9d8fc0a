"""Say for a message whether it would be accepted, and why: every check with what it expected and received.

The checks are those of the sites themselves, run on files and at a time of your choosing; nothing is sent or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from federation.cli import inputs
from federation.cli.output import as_json, plain
from federation.errors import FederationError

if TYPE_CHECKING:
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
_presets = click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="PRESET",
    help="As the connection has it: legacy-cbc, legacy-rsa15, legacy-sha1. May be given several times.",
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
@_presets
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
    presets: Sequence[str],
    json_wanted: bool,
) -> None:
    """Explain a Response as the service provider judges it. FILE holds the XML, or the base64 as posted."""
    from federation.attributes import scopes
    from federation.saml.bindings.parameters import RESPONSE
    from federation.saml.profiles import explanation, sso_response

    if request_id is None and not allow_unsolicited:
        raise click.UsageError("Give --request-id, or --allow-unsolicited for a response that answers no request.")
    now, keys = inputs.instant(now_text), inputs.read_keys(key_files)
    algorithms = inputs.algorithms(presets)
    sp, idps = inputs.read_entity(sp_metadata, "sp"), inputs.read_entities(idp_metadata, "idp")

    def judge() -> Explanation:
        received = inputs.as_posted(file.read_bytes(), RESPONSE)
        expected = sso_response.ResponseExpectations(
            sp_entity_id=sp.entity_id,
            acs_url=acs,
            idp=inputs.issuing(idps, lambda: sso_response.issuer_of(received)),
            now=now,
            request_id=request_id,
            allow_unsolicited=allow_unsolicited,
            decryption_keys=keys,
            algorithms=algorithms,
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
@_presets
@_json
def request(
    source: str,
    binding: str,
    idp_metadata: Path,
    sp_metadata: Path,
    now_text: str | None,
    key_files: Sequence[Path],
    presets: Sequence[str],
    json_wanted: bool,
) -> None:
    """Explain an AuthnRequest as the identity provider judges it.

    For redirect, FILE_OR_URL is the whole address or a file that holds it; else a file with the XML, or with the base64
    as posted.
    """
    from federation.saml.bindings.parameters import REQUEST
    from federation.saml.profiles import explanation, sso_request

    now, keys = inputs.instant(now_text), inputs.read_keys(key_files)
    algorithms = inputs.algorithms(presets)
    idp, sps = inputs.read_entity(idp_metadata, "idp"), inputs.read_entities(sp_metadata, "sp")
    octets = inputs.read_source(source)

    def judge() -> Explanation:
        received = inputs.as_received(octets, binding, REQUEST)
        partner = inputs.issuing(sps, lambda: sso_request.issuer_of(received))
        assert idp.idp is not None
        assert partner.sp is not None
        result = sso_request.accept(
            received,
            expected_destination=inputs.address_of(idp.idp.single_sign_on, binding, octets),
            idp_entity_id=idp.entity_id,
            partner=partner,
            now=now,
            want_signed=idp.idp.want_authn_requests_signed,
            answer_bindings=sso_request.answer_bindings(partner.sp),
            decryption_keys=lambda: keys,
            algorithms=algorithms,
        )
        return explanation.accepted(result.checks)

    _show(judge, json_wanted)


@explain.command()
@click.argument("source", metavar="FILE_OR_URL")
@_binding
@_partners
@click.option("--request-id", help="ID of the request that a LogoutResponse answers.")
@_keys
@_presets
@_json
def logout(
    source: str,
    binding: str,
    idp_metadata: Path,
    sp_metadata: Path,
    now_text: str | None,
    request_id: str | None,
    key_files: Sequence[Path],
    presets: Sequence[str],
    json_wanted: bool,
) -> None:
    """Explain a LogoutRequest or LogoutResponse as the side that receives it judges it.

    Which side that is follows from the message's Issuer. FILE_OR_URL as for `explain request`.
    """
    from federation.saml.profiles import explanation
    from federation.saml.profiles import logout as profile
    from federation.saml.profiles.logout_rules import LogoutExpectations

    now, keys = inputs.instant(now_text), inputs.read_keys(key_files)
    algorithms = inputs.algorithms(presets)
    idp, sp = inputs.read_entity(idp_metadata, "idp"), inputs.read_entity(sp_metadata, "sp")
    octets = inputs.read_source(source)

    def judge() -> Explanation:
        received = inputs.as_received(octets, binding, None)
        partner, receiver = (idp, sp.sp) if profile.issuer_of(received) == idp.entity_id else (sp, idp.idp)
        role = idp.idp if partner is idp else sp.sp
        assert role is not None
        assert receiver is not None
        is_response = received.parameter == "SAMLResponse"
        expected = LogoutExpectations(
            destination=inputs.address_of(receiver.single_logout, binding, octets, response=is_response),
            partner=partner,
            role=role,
            now=now,
            request_id=request_id,
        )
        if is_response:
            return explanation.accepted(profile.accept_response(received, expected, algorithms=algorithms).checks)
        result = profile.accept_request(received, expected, decryption_keys=keys, algorithms=algorithms)
        return explanation.accepted(result.checks, name_id=result.request.name_id.value)

    _show(judge, json_wanted)


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
    from federation.saml.algorithms import WEAK

    for check in result.checks:
        click.echo(f"{'ok     ' if check.ok else 'REFUSED'}  {check.rule}  ({check.reference})")
        if not check.ok:
            click.echo(f"         expected  {plain(check.expected)}\n         received  {plain(check.received)}")
        elif WEAK in check.received:
            click.echo(f"         received  {plain(check.received)}")
    if not result.accepted:
        click.echo(f"\nRefused: {plain(result.message or '')}")
        return
    click.echo(f"\nAccepted after {len(result.checks)} checks.")
    if result.name_id is not None:
        click.echo(f"NameID  {plain(result.name_id)}")
    for name, values in result.attributes.items():
        click.echo(plain(f"{name}  {', '.join(values)}"))
