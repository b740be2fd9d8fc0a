"""Web Browser SSO, the request (SAML Profiles 4.1.4.1; SAML Core 3.4.1): build and send it, accept it.

`accept` reads like this: the message is well formed and of the right kind; its signature, where there must be or is
one, verifies with a key of the partner's metadata; then the rules on what was signed, in two lists. A request that
breaks one of the first list gets no answer, because nobody knows whom it would go to; one that breaks one of the second
can be answered at the endpoint that was found, with the status that `refusals` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import encryption, signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.bindings import post, redirect
from federation.saml.bindings.parameters import REQUEST
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, attempt, run
from federation.saml.codec import authn_request as codec
from federation.saml.codec.common import ENCRYPTED_ID, ISSUER, NAME_ID, read_issuer, read_name_id
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import AuthnRequest, NameID, NameIDPolicy, Received, RequestedAuthnContext, Scoping
from federation.saml.metadata.entity import AttributeConsumingService, Endpoint, Entity, SPRole
from federation.saml.names import Binding
from federation.saml.profiles import common, outline
from federation.saml.profiles import sso_request_rules as rules
from federation.saml.profiles.arrival import document_of, open_message
from federation.saml.profiles.refusals import UNKNOWN_SUBJECT, RequestRefused, status_of
from federation.saml.signature import SigningKey

# Building -------------------------------------------------------------------------------------------------------------


def build(
    *,
    id: str,  # noqa: A002 - the attribute's own name
    issuer: str,
    destination: str,
    acs_url: str,
    now: datetime,
    force_authn: bool = False,
    is_passive: bool = False,
    protocol_binding: str = Binding.POST,
    name_id_policy: NameIDPolicy | None = None,
    requested_authn_context: RequestedAuthnContext | None = None,
    attribute_consuming_service_index: int | None = None,
    subject: NameID | None = None,
    scoping: Scoping | None = None,
    provider_name: str | None = None,
) -> AuthnRequest:
    """A request to authenticate a person and post the answer to `acs_url`.

    `destination` is the IdP's endpoint as its metadata has it. Without a `name_id_policy` the IdP chooses.
    """
    return AuthnRequest(
        id=id,
        issuer=issuer,
        issue_instant=now,
        destination=destination,
        assertion_consumer_service_url=acs_url,
        attribute_consuming_service_index=attribute_consuming_service_index,
        protocol_binding=protocol_binding,
        name_id_policy=name_id_policy,
        requested_authn_context=requested_authn_context,
        scoping=scoping,
        subject=subject,
        force_authn=force_authn,
        is_passive=is_passive,
        provider_name=provider_name,
    )


def send(
    request: AuthnRequest, *, binding: str, key: SigningKey | None, relay_state: str | None = None
) -> str | PostForm:
    """Serialise, sign and bind a request: a URL to redirect to, or a form to submit (SAML Bindings 3.4, 3.5).

    With HTTP-Redirect the query is signed, with HTTP-POST the element. Raises `ConfigurationError` for another binding
    and for an unfit destination.
    """
    if request.destination is None:
        raise ConfigurationError("request: no destination")
    element = codec.write(request)
    if binding == Binding.REDIRECT:
        return redirect.encode(
            xml.serialise(element),
            parameter=REQUEST,
            destination=request.destination,
            relay_state=relay_state,
            key=key,
        )
    if binding == Binding.POST:
        document = xml.serialise(element) if key is None else signed(request, key=key)
        return post.encode(document, parameter=REQUEST, destination=request.destination, relay_state=relay_state)
    raise ConfigurationError(f"request: {binding} cannot carry an AuthnRequest")


def signed(request: AuthnRequest, *, key: SigningKey) -> bytes:
    """The signed document, for a partner's server to fetch (SAML Bindings 3.6)."""
    return signature.signed(codec.write(request), key=key)


def outline_of(request: AuthnRequest) -> dict[str, Any]:
    """What an administrator may see of a request that was sent, made from what it said."""
    element = codec.write(request)
    return outline.of_ours(Binding.REDIRECT, element, len(xml.serialise(element)))


# Accepting ------------------------------------------------------------------------------------------------------------


class AcceptedRequest(NamedTuple):
    """A request that passed every check.

    `acs` is the endpoint for the answer, from the SP's metadata. `signed` says whether a signature was there (it then
    verified). `attribute_service` is what the SP asks for: the service it named, or its default, or None.
    """

    request: AuthnRequest
    acs: Endpoint
    signed: bool
    attribute_service: AttributeConsumingService | None
    checks: tuple[Check, ...]


def answer_bindings(sp: SPRole) -> tuple[str, ...]:
    """How an SP can be answered: by artifact only if it could prove who it is when it comes to fetch."""
    return (Binding.POST, Binding.ARTIFACT) if sp.signing_keys else (Binding.POST,)


def issuer_of(received: Received) -> str:
    """The Issuer that a request claims: unverified, and good only for looking the partner up. Raises `Malformed`."""
    element = xml.expect(document_of(received).root, codec.AUTHN_REQUEST)
    issuer = next(element.iterchildren(ISSUER), None)
    if issuer is None:
        raise Malformed("request.issuer", "the request names no Issuer")
    return read_issuer(issuer)


def accept(
    received: Received,
    *,
    expected_destination: str,
    idp_entity_id: str,
    partner: Entity,
    now: datetime,
    skew: timedelta = common.SKEW,
    max_age: timedelta = common.MAX_AGE,
    want_signed: bool = False,
    answer_bindings: Sequence[str] = (Binding.POST,),
    name_id_formats: Sequence[str] = rules.NAME_ID_FORMATS,
    decryption_keys: Callable[[], Sequence[DecryptionKey]] = tuple,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> AcceptedRequest:
    """Accept an AuthnRequest at the IdP's endpoint `expected_destination` from the SP that `issuer_of` names.

    `want_signed` demands a signature beyond what the SP's own metadata promises. `answer_bindings` are those by which
    we can answer, `name_id_formats` those we can supply. A Subject that is an EncryptedID is opened with
    `decryption_keys` in turn, which are asked for only then. The caller remembers the request's ID against replay.

    Raises `RequestRefused`, which carries every check made and, where an answer is possible, status and endpoint.
    """
    try:
        opened = open_message(
            received,
            transport=rules.TRANSPORT,
            document=rules.DOCUMENT,
            signed=rules.SIGNATURE,
            demanded=want_signed or (partner.sp is not None and partner.sp.authn_requests_signed),
            form=rules.FORM,
            keys=partner.sp.signing_keys if partner.sp is not None else (),
            algorithms=algorithms,
        )
        request = attempt(opened.checks, rules.FORM, codec.read, opened.element)
        context = rules.Context(
            request=request,
            element=opened.element,
            signed=opened.signed,
            partner=partner,
            expected_destination=expected_destination,
            idp_entity_id=idp_entity_id,
            now=now,
            skew=skew,
            max_age=max_age,
            answer_bindings=answer_bindings,
            name_id_formats=name_id_formats,
            acs=rules.choose_acs(
                partner,
                answer_bindings,
                url=request.assertion_consumer_service_url,
                index=request.assertion_consumer_service_index,
                binding=request.protocol_binding,
            ),
            attribute_service=rules.choose_attribute_service(partner, request.attribute_consuming_service_index),
        )
        checks = run(rules.UNANSWERABLE, opened.checks, context)
    except Refused as refused:
        raise RequestRefused(refused.checks) from None
    acs = cast("Endpoint", context.acs)
    try:
        checks = run(rules.ANSWERABLE, checks, context)
    except Refused as refused:
        status = status_of(refused.rule)
        raise RequestRefused(refused.checks, status=status, answer_to=acs, request=request) from None
    try:
        request, checks = _opened_subject(context, checks, decryption_keys, algorithms, opened.identifiers)
    except Refused as refused:
        # One status for whatever is wrong with it: it tells nobody how far the decryption came.
        raise RequestRefused(refused.checks, status=UNKNOWN_SUBJECT, answer_to=acs, request=request) from None
    return AcceptedRequest(request, acs, opened.signed, context.attribute_service, checks)


def _opened_subject(
    context: rules.Context,
    checks: tuple[Check, ...],
    keys: Callable[[], Sequence[DecryptionKey]],
    algorithms: Algorithms,
    identifiers: Collection[str],
) -> tuple[AuthnRequest, tuple[Check, ...]]:
    """The request with the NameID that its Subject holds encrypted, if it does. Raises `Refused`."""
    identifier, _ = codec.subject_of(context.element)
    if identifier is None or identifier.tag != ENCRYPTED_ID:
        return context.request, checks
    element, checks = encryption.examine(identifier, keys(), checks, algorithms=algorithms, covered=context.signed)
    attempt(checks, rules.FORM, xml.collect_ids, element, known=identifiers)
    name_id = attempt(checks, rules.FORM, lambda: read_name_id(xml.expect(element, NAME_ID)))
    return context.request._replace(subject=name_id), checks
