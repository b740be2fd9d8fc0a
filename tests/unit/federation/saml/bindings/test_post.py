"""HTTP-POST reads one message from one form field, by one strict base64."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import FederationError, Malformed
from federation.saml.bindings import post
from federation.saml.names import Binding

MESSAGE = b"<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1'/>"
ENCODED = base64.b64encode(MESSAGE).decode()


def test_what_is_encoded_is_what_is_decoded() -> None:
    form = post.encode(MESSAGE, parameter="SAMLResponse", destination="https://sp.test/saml/acs", relay_state="r1")
    assert form.action == "https://sp.test/saml/acs"
    received = post.decode(form.fields)
    assert (received.binding, received.parameter) == (Binding.POST, "SAMLResponse")
    assert (received.xml, received.relay_state, received.query_signature) == (MESSAGE, "r1", None)


def test_line_breaks_in_the_base64_and_fields_of_others_do_not_matter() -> None:
    wrapped = "\r\n".join(ENCODED[start : start + 20] for start in range(0, len(ENCODED), 20))
    assert post.decode([("SAMLResponse", wrapped), ("csrf", "x"), ("csrf", "y")]).xml == MESSAGE


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ([], "post.message"),
        ([("SAMLResponse", ENCODED), ("SAMLRequest", ENCODED)], "post.message"),
        ([("SAMLResponse", ENCODED), ("SAMLResponse", ENCODED)], "post.duplicate"),
        ([("SAMLResponse", ENCODED), ("RelayState", "a"), ("RelayState", "b")], "post.duplicate"),
        ([("SAMLResponse", ENCODED), ("SigAlg", "x"), ("Signature", "y")], "post.signature"),
        ([("SAMLResponse", ENCODED), ("RelayState", "x" * 2049)], "post.relay_state"),
        ([("SAMLResponse", ENCODED), ("RelayState", "\udcd5")], "post.relay_state"),
        ([("SAMLResponse", "")], "post.base64"),
        ([("SAMLResponse", "<xml/>")], "post.base64"),
        ([("SAMLResponse", ENCODED.replace("a", "é", 1))], "post.base64"),
        ([("SAMLResponse", ENCODED + "=")], "post.base64"),
        ([("SAMLResponse", base64.b64encode(b"x" * 1_048_577).decode())], "post.base64"),
    ],
)
def test_a_form_with_two_readings_or_none_is_refused(fields: list[tuple[str, str]], rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        post.decode(fields)
    assert caught.value.rule == rule


@given(st.lists(st.tuples(st.sampled_from(["SAMLResponse", "RelayState", "x"]), st.text(max_size=40)), max_size=4))
def test_any_form_is_read_or_refused_within_the_error_tree(fields: list[tuple[str, str]]) -> None:
    with contextlib.suppress(FederationError):
        post.decode(fields)
