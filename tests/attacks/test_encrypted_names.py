"""Encrypted names of logout requests: opened only once the request is believed, and then read as strictly as any."""

from collections.abc import Callable

import pytest
from lxml import etree

from federation.errors import Refused
from federation.saml import encryption, signature, xml
from federation.saml.codec import logout as codec
from federation.saml.names import SAML
from federation.saml.profiles import logout
from tests import factories, trees
from tests.attacks import deliveries
from tests.attacks.forging import A, evil_assertion
from tests.attacks.test_limits import Counted
from tests.factories import signing_key

KEYS = (factories.decryption_key(),)


def sealed(content: etree._Element | bytes) -> etree._Element:
    wrapper = trees.new(f"{A}EncryptedID", {"saml": SAML})
    wrapper.append(xml.lift(encryption.encrypt(content, key=factories.descriptor(KEYS[0], "encryption"))))
    return wrapper


def named(text: str = "_f81d") -> bytes:
    return f'<saml:NameID xmlns:saml="{SAML}">{text}</saml:NameID>'.encode()


def request(*names: etree._Element, key: str | None = "sp") -> etree._Element:
    """A request with these names in the place of its own."""
    element = xml.lift(codec.write_request(deliveries.logout_request()))
    usual = element.find(f"{A}NameID")
    assert usual is not None
    place = element.index(usual)
    element.remove(usual)
    for name in reversed(names):
        element.insert(place, name)
    if key is not None:
        signature.sign(element, key=signing_key(key))
    return element


def judge(element: etree._Element) -> logout.AcceptedLogoutRequest:
    return logout.accept_request(factories.posted(element, "SAMLRequest"), deliveries.at_slo(), decryption_keys=KEYS)


def rule_of(element: etree._Element) -> str:
    with pytest.raises(Refused) as caught:
        judge(element)
    return caught.value.rule


def test_a_name_that_was_encrypted_to_us_is_the_name() -> None:
    assert judge(request(sealed(named()))).request.name_id.value == "_f81d"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (lambda: b"", "encryption.opens"),
        (lambda: b"_f81d", "encryption.opens"),
        (lambda: named() + named("admin"), "encryption.opens"),
        (lambda: b"<!DOCTYPE x [<!ENTITY e 'admin'>]>" + named("&e;"), "encryption.opens"),
        (lambda: named("_f8<?x y?>1d"), "encryption.opens"),
        (lambda: named(" "), "xml.text"),
        (lambda: named("a<b/>"), "xml.text"),
        (evil_assertion, "xml.root"),
        (lambda: sealed(named()), "xml.root"),
        (lambda: b"<x>" + named() + b"</x>", "xml.root"),
        (lambda: named().replace(b"<saml:NameID", f'<saml:NameID ID="{factories.REQUEST_ID}"'.encode()), "xml.ids"),
        (lambda: named().replace(b"<saml:NameID", b'<saml:NameID Id="_new"'), "xml.ids"),
    ],
    ids=range(12),
)
def test_what_comes_out_is_as_hostile_as_what_comes_in(
    content: Callable[[], etree._Element | bytes], rule: str
) -> None:
    assert rule_of(request(sealed(content()))) == rule


def test_a_comment_in_it_cuts_no_name_short() -> None:
    assert judge(request(sealed(named("admin<!-- -->.evil")))).request.name_id.value == "admin.evil"


@pytest.mark.parametrize(("key", "rule"), [(None, "logout.signed"), ("mallory", "signature.value")])
def test_nothing_is_opened_for_somebody_who_has_not_signed(key: str | None, rule: str) -> None:
    """Anybody can encrypt to us, so it proves nothing; and nobody unknown makes us use a private key."""
    keys = Counted("sp-encryption")
    received = factories.posted(request(sealed(named()), key=key), "SAMLRequest")
    with pytest.raises(Refused) as caught:
        logout.accept_request(received, deliveries.at_slo(), decryption_keys=keys.keys)
    assert (caught.value.rule, keys.asked) == (rule, 0)


def test_a_name_swapped_for_one_that_anybody_encrypted_is_noticed() -> None:
    element = xml.reparse(xml.serialise(request(sealed(named()))))
    usual = element.find(f"{A}EncryptedID")
    assert usual is not None
    element.replace(usual, sealed(named("admin")))
    assert rule_of(element) == "signature.content"


def test_there_is_one_name() -> None:
    plain = etree.fromstring(named())
    assert rule_of(request(sealed(named()), sealed(named("admin")))) == "xml.shape"
    assert rule_of(request(plain, sealed(named("admin")))) == "xml.shape"
