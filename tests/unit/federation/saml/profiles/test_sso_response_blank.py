"""A response that is filled in says what the codec would have written of the same values."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ConfigurationError
from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.messages import Attribute, AuthnStatement, Conditions, NameID
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from tests import factories
from tests.factories import NOW
from tests.unit.federation.saml.profiles.test_outline import outlined
from tests.unit.federation.saml.test_writing import TEXTS

AWKWARD = TEXTS | st.sampled_from(
    ["", " ", '"', "\\", "%s", "%%", xml.hole("issuer"), "<cut></cut>", "n" * 301, " é" * 400]
)
MAYBE = st.none() | AWKWARD
NAME_IDS = st.none() | st.builds(NameID, AWKWARD, MAYBE, MAYBE, MAYBE, MAYBE)
ATTRIBUTES = st.lists(st.builds(Attribute, AWKWARD, st.lists(AWKWARD, max_size=3).map(tuple), MAYBE, MAYBE), max_size=3)


@given(
    st.lists(AWKWARD, min_size=4, max_size=4),
    MAYBE,
    MAYBE,
    NAME_IDS,
    ATTRIBUTES,
    st.lists(AWKWARD, max_size=2),
    st.booleans(),
)
def test_a_response_is_what_the_codec_writes_of_it(
    texts: list[str],
    request_id: str | None,
    session_index: str | None,
    name_id: NameID | None,
    attributes: list[Attribute],
    authorities: list[str],
    session_end: bool,
) -> None:
    issuer, audience, acs, class_ref = texts
    key, end = factories.signing_key(), NOW + timedelta(hours=1) if session_end else None
    sent = factories.response(
        issuer=issuer,
        audience=audience,
        acs=Endpoint(Binding.POST, acs),
        in_response_to=request_id,
        session_index=session_index,
        session_not_on_or_after=end,
        authn_context_class_ref=class_ref,
        authenticating_authorities=authorities,
        name_id=name_id,
        attributes=attributes,
        encrypt_to=None,
        sign_assertion=True,
    )
    expected = assertion_codec.write(
        factories.assertion(
            issuer=issuer,
            name_id=name_id,
            subject_confirmations=(factories.confirmation(recipient=acs, in_response_to=request_id),),
            conditions=Conditions(NOW, NOW + timedelta(minutes=5), ((audience,),)),
            authn_statements=(
                AuthnStatement(NOW - timedelta(minutes=1), session_index, end, class_ref, tuple(authorities)),
            ),
            attributes=tuple(attributes),
        )
    )
    envelope = factories.envelope(issuer=issuer, destination=acs, in_response_to=request_id)
    assert xml.canonical(xml.reparse(sent.octets)) == sent.octets
    whole = signature.verify(xml.reparse(sent.octets), keys=[key.public_key])
    assertion = signature.verify(xml.lift(whole[-1]), keys=[key.public_key])
    assert xml.canonical(assertion) == xml.serialise(expected)
    whole.remove(whole[-1])
    assert xml.canonical(whole) == xml.serialise(response_codec.write(envelope))
    assert json.loads(sent.outline) == outlined(sent.octets) | {"direction": "sent"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_index": "\0"},
        {"audience": "\ud800"},
        {"name_id": NameID("\x01")},
        {"name_id": NameID("a", "\x01")},
        {"attributes": (Attribute("a", ("\ufffe",)),)},
    ],
)
def test_a_value_that_xml_cannot_carry_is_our_own_mistake(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="a value holds a character"):
        factories.response(**wrong)
