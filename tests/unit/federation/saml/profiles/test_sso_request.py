"""A request is built, sent by either binding, and accepted as SAML Profiles 4.1.4.1 has it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from federation.errors import ConfigurationError, Malformed
from federation.saml import xml
from federation.saml.bindings import post, redirect
from federation.saml.bindings.post import PostForm
from federation.saml.codec import authn_request as codec
from federation.saml.messages import AuthnRequest, NameIDPolicy, Received, Scoping
from federation.saml.metadata.entity import AttributeConsumingService, Endpoint
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import sso_request
from federation.saml.profiles.refusals import RequestRefused
from federation.saml.signature import SigningKey
from tests import factories
from tests.factories import accept_request

SECOND = "https://sp.example.com/saml/second"


def sent(
    request: AuthnRequest | None = None,
    binding: str = Binding.REDIRECT,
    key: SigningKey | None = None,
    *,
    signed: bool = True,
) -> Received:
    """A request as the IdP receives it."""
    key = (key or factories.signing_key("sp")) if signed else None
    carrier = sso_request.send(request or factories.request(), binding=binding, key=key, relay_state="state 1")
    if isinstance(carrier, PostForm):
        return post.decode(carrier.fields)
    return redirect.decode(urlsplit(carrier).query.encode())


def refused(received: Received, **more: object) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        accept_request(received, **more)
    return caught.value


# Sending


def test_a_request_is_sent_by_redirect_with_a_signed_query() -> None:
    url = sso_request.send(
        factories.request(), binding=Binding.REDIRECT, key=factories.signing_key("sp"), relay_state="x"
    )
    assert isinstance(url, str)
    assert url.startswith(f"{factories.SSO_URL}?SAMLRequest=")
    assert "&RelayState=x&SigAlg=" in url


def test_a_request_is_posted_with_a_signed_element() -> None:
    form = sso_request.send(factories.request(), binding=Binding.POST, key=factories.signing_key("sp"))
    assert isinstance(form, PostForm)
    assert form.action == factories.SSO_URL
    assert [name for name, _ in form.fields] == ["SAMLRequest"]


def test_other_bindings_and_a_missing_destination_are_our_own_mistake() -> None:
    with pytest.raises(ConfigurationError):
        sso_request.send(factories.request(), binding=Binding.SOAP, key=None)
    with pytest.raises(ConfigurationError):
        sso_request.send(factories.request()._replace(destination=None), binding=Binding.POST, key=None)


@pytest.mark.parametrize(
    "destination",
    [
        "javascript:alert(1)",
        "http://idp.example.org/sso",
        "https://user@idp.example.org/sso",
        "https://idp.example.org/sso#x",
        "https://idp.example.org/sso?SAMLRequest=x",
        "https://idp.example.org/sso?SAML%52equest=x",
        "//idp.example.org/sso",
        "https:///sso",
        "https://idp.example.org/\n",
        "https://[x",
    ],
)
@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
def test_a_browser_is_never_sent_to_an_unfit_place(destination: str, binding: str) -> None:
    with pytest.raises(ConfigurationError):
        sso_request.send(factories.request(destination=destination), binding=binding, key=None)


def test_plain_http_is_for_loopback() -> None:
    for host in ("localhost:6543", "127.0.0.1:6543", "[::1]:6543"):
        request = factories.request(destination=f"http://{host}/saml/sso")
        assert sso_request.send(request, binding=Binding.REDIRECT, key=None)


# Looking up


def test_the_issuer_is_read_to_look_the_partner_up() -> None:
    assert sso_request.issuer_of(sent()) == factories.SP


def test_what_is_no_request_has_no_issuer() -> None:
    for document in (b"junk", factories.response_xml(), b"<AuthnRequest/>"):
        with pytest.raises(Malformed):
            sso_request.issuer_of(factories.posted(document, "SAMLRequest"))
    element = xml.lift(codec.write(factories.request()))
    element.remove(element[0])
    with pytest.raises(Malformed):
        sso_request.issuer_of(factories.posted(xml.serialise(element), "SAMLRequest"))


# Accepting


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
def test_a_signed_request_is_accepted(binding: str) -> None:
    accepted = accept_request(sent(binding=binding))
    assert accepted.request == factories.request()
    assert accepted.acs == factories.acs()
    assert accepted.signed
    assert all(check.ok for check in accepted.checks)


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
def test_an_unsigned_request_is_accepted_where_nobody_promised_or_demands_a_signature(binding: str) -> None:
    received = sent(binding=binding, signed=False)
    accepted = accept_request(received, partner=factories.sp_entity(authn_requests_signed=False))
    assert not accepted.signed
    assert refused(received).rule == "request.signed"
    partner = factories.sp_entity(authn_requests_signed=False)
    assert refused(received, partner=partner, want_signed=True).rule == "request.signed"


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
@pytest.mark.conformance("SDP-IDP05")
def test_a_signature_that_is_there_must_verify_even_where_none_is_needed(binding: str) -> None:
    received = sent(binding=binding, key=factories.signing_key("mallory"))
    partner = factories.sp_entity(authn_requests_signed=False)
    assert refused(received, partner=partner).rule == "signature.value"
    assert refused(received, partner=factories.sp_entity(authn_requests_signed=False, keys=())).rule == "signature.key"


def test_an_unsigned_request_needs_no_destination() -> None:
    partner = factories.sp_entity(authn_requests_signed=False)
    element = xml.lift(codec.write(factories.request()._replace(destination=None)))
    received = factories.posted(element, "SAMLRequest")
    assert accept_request(received, partner=partner).request.destination is None


@pytest.mark.conformance("IIP-G01")
def test_clocks_may_differ_a_little() -> None:
    for instant in (factories.NOW - timedelta(minutes=12), factories.NOW + timedelta(minutes=3)):
        assert accept_request(sent(factories.request(now=instant)))


@pytest.mark.parametrize("minutes", [-14, 4])
def test_an_old_or_future_request_is_refused(minutes: int) -> None:
    received = sent(factories.request(now=factories.NOW + timedelta(minutes=minutes)))
    refusal = refused(received)
    assert refusal.rule == "request.issue_instant"
    assert (refusal.status, refusal.answer_to) == (None, None)


# Where the answer goes


def with_endpoints(*endpoints: Endpoint) -> dict[str, object]:
    return {"partner": factories.sp_entity(assertion_consumer=endpoints)}


FIRST = Endpoint(Binding.POST, factories.ACS_URL, index=1)
DEFAULT = Endpoint(Binding.POST, SECOND, index=2, is_default=True)
ARTIFACT = Endpoint(Binding.ARTIFACT, factories.ACS_URL, index=3)


def naming(**more: object) -> AuthnRequest:
    nothing = {"assertion_consumer_service_url": None, "protocol_binding": None}
    return factories.request()._replace(**(nothing | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (naming(), DEFAULT),
        (naming(protocol_binding=Binding.POST), DEFAULT),
        (naming(assertion_consumer_service_url=factories.ACS_URL), FIRST),
        (naming(assertion_consumer_service_url=SECOND, protocol_binding=Binding.POST), DEFAULT),
        (naming(assertion_consumer_service_index=1), FIRST),
    ],
)
@pytest.mark.conformance("IIP-IDP12", "SDP-IDP06")
def test_the_answer_goes_to_the_endpoint_that_is_named_or_to_the_default(
    request_: AuthnRequest, expected: Endpoint
) -> None:
    assert accept_request(sent(request_), **with_endpoints(ARTIFACT, FIRST, DEFAULT)).acs == expected


def test_without_a_marked_default_it_is_the_first_not_marked_otherwise() -> None:
    never = replace(FIRST, is_default=False)
    second = replace(DEFAULT, is_default=None)
    assert accept_request(sent(naming()), **with_endpoints(never, second)).acs == second
    assert accept_request(sent(naming()), **with_endpoints(never)).acs == never


@pytest.mark.parametrize(
    "request_",
    [
        naming(assertion_consumer_service_url="https://sp.example.com/saml/ac"),
        naming(assertion_consumer_service_url="https://sp.example.com/saml/acs/"),
        naming(assertion_consumer_service_url="https://sp.example.com/saml/acs?x"),
        naming(assertion_consumer_service_url="https://SP.example.com/saml/acs"),
        naming(assertion_consumer_service_url="https://sp.example.com.evil.org/saml/acs"),
        naming(assertion_consumer_service_url=""),
        naming(assertion_consumer_service_index=9),
        naming(assertion_consumer_service_index=3),
        naming(protocol_binding=Binding.ARTIFACT),
        naming(assertion_consumer_service_url=SECOND, protocol_binding=Binding.ARTIFACT),
        naming(protocol_binding=Binding.REDIRECT),
    ],
)
@pytest.mark.conformance("IIP-IDP12", "SDP-IDP06")
def test_there_is_no_fallback_when_the_named_endpoint_is_not_in_the_metadata(request_: AuthnRequest) -> None:
    refusal = refused(sent(request_), **with_endpoints(ARTIFACT, FIRST, DEFAULT))
    assert refusal.rule == "request.acs"
    assert refusal.answer_to is None


def test_an_endpoint_is_named_in_one_way() -> None:
    both = naming(assertion_consumer_service_url=factories.ACS_URL, assertion_consumer_service_index=1)
    assert refused(sent(both), **with_endpoints(FIRST)).rule == "request.acs_choice"
    both = naming(protocol_binding=Binding.POST, assertion_consumer_service_index=1)
    assert refused(sent(both), **with_endpoints(FIRST)).rule == "request.acs_choice"


def test_a_binding_that_we_can_use_may_be_added() -> None:
    request = naming(protocol_binding=Binding.ARTIFACT)
    accepted = accept_request(
        sent(request), answer_bindings=(Binding.POST, Binding.ARTIFACT), **with_endpoints(FIRST, ARTIFACT)
    )
    assert accepted.acs == ARTIFACT


# What is asked for

BASIC = AttributeConsumingService(index=1, is_default=None, names=(), requested=())
FULL = AttributeConsumingService(index=2, is_default=True, names=(), requested=())


def test_the_set_of_attributes_is_the_named_one_or_the_default() -> None:
    partner = factories.sp_entity(attribute_consuming=(BASIC, FULL))
    assert accept_request(sent(), partner=partner).attribute_service == FULL
    named = factories.request(attribute_consuming_service_index=1)
    assert accept_request(sent(named), partner=partner).attribute_service == BASIC
    assert accept_request(sent()).attribute_service is None


def test_a_refusal_that_can_be_answered_says_so() -> None:
    partner = factories.sp_entity(attribute_consuming=(BASIC,))
    refusal = refused(sent(factories.request(attribute_consuming_service_index=7)), partner=partner)
    assert refusal.rule == "request.attribute_service"
    assert refusal.status is not None
    assert (refusal.status.code, refusal.status.second_level) == (
        StatusCode.REQUESTER,
        StatusCode.REQUEST_UNSUPPORTED,
    )
    assert refusal.answer_to == factories.acs()
    assert refusal.request is not None
    assert refusal.request.id == factories.REQUEST_ID


@pytest.mark.parametrize(
    "policy",
    [
        None,
        NameIDPolicy(),
        NameIDPolicy(NameIDFormat.UNSPECIFIED),
        NameIDPolicy(NameIDFormat.TRANSIENT, factories.SP, allow_create=True),
        NameIDPolicy(NameIDFormat.PERSISTENT),
    ],
)
def test_policies_that_we_can_fulfil_are_accepted(policy: NameIDPolicy | None) -> None:
    assert accept_request(sent(factories.request(name_id_policy=policy)))


@pytest.mark.parametrize(
    "policy",
    [NameIDPolicy("urn:kerberos"), NameIDPolicy(NameIDFormat.ENCRYPTED), NameIDPolicy(None, factories.OTHER_SP)],
)
def test_other_policies_are_answered_with_their_status(policy: NameIDPolicy) -> None:
    refusal = refused(sent(factories.request(name_id_policy=policy)))
    assert refusal.rule == "request.name_id_policy"
    assert refusal.status is not None
    assert refusal.status.second_level == StatusCode.INVALID_NAME_ID_POLICY


def test_a_list_of_identity_providers_must_have_us() -> None:
    assert accept_request(sent(factories.request(scoping=Scoping(idp_list=("urn:other", factories.IDP)))))
    assert accept_request(sent(factories.request(scoping=Scoping(proxy_count=0))))
    refusal = refused(sent(factories.request(scoping=Scoping(idp_list=("urn:other",)))))
    assert refusal.rule == "request.idp_list"
    assert refusal.status is not None
    assert refusal.status.second_level == StatusCode.NO_SUPPORTED_IDP


def test_another_version_is_answered_with_version_mismatch() -> None:
    element = xml.lift(codec.write(factories.request()))
    element.set("Version", "2.1")
    partner = factories.sp_entity(authn_requests_signed=False)
    refusal = refused(factories.posted(element, "SAMLRequest"), partner=partner)
    assert refusal.rule == "request.version"
    assert refusal.status is not None
    assert (refusal.status.code, refusal.status.second_level) == (StatusCode.VERSION_MISMATCH, None)


def test_what_cannot_be_read_is_refused_with_the_rule_it_broke() -> None:
    refusal = refused(factories.posted(b"junk", "SAMLRequest"))
    assert refusal.rule == "xml.well_formed"
    assert refusal.checks[-1].ok is False
