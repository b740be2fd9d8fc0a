"""What a stranger's message may cost, and what the answer to a failed decryption may tell: as little as possible."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from lxml import etree

from federation.errors import Refused
from federation.saml import encryption, encryption_ciphers, signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.encryption import MAX_ATTEMPTS, DecryptionKey
from federation.saml.names import SAML, Algorithm
from federation.saml.profiles import logout
from federation.saml.signature import MAX_KEYS
from federation.saml.signature_shape import MAX_PREFIXES
from tests import factories, trees
from tests.attacks import deliveries
from tests.attacks.catalogue_logout import sent
from tests.attacks.forging import A, D, copied, encrypted, evil_response, sign_as
from tests.factories import accept_response, assertion, signing_key

CIPHER_VALUE = "{http://www.w3.org/2001/04/xmlenc#}CipherValue"
MANY = b" ".join(b'a%d=""' % number for number in range(65))


class Counted:
    """Decryption keys that count how often they are asked."""

    def __init__(self, *names: str) -> None:
        self.asked = 0
        self.keys: Sequence[DecryptionKey] = [self._counting(factories.decryption_key(name)) for name in names]

    def _counting(self, key: DecryptionKey) -> DecryptionKey:
        def unwrap(wrapped: object) -> bytes:
            self.asked += 1
            return key.unwrap(wrapped)  # type: ignore[arg-type]

        return DecryptionKey(public_key=key.public_key, unwrap=unwrap)


def spoiled(position: int, change: Callable[[bytes], bytes]) -> Callable[[etree._Element], None]:
    """Change the octets of the wrapped key (0) or of the content (1)."""

    def spoil(wrapper: etree._Element) -> None:
        value = list(wrapper.iter(CIPHER_VALUE))[position]
        value.text = factories.base64_text(change(base64.b64decode(value.text or "")))

    return spoil


def to_somebody_else() -> etree._Element:
    wrapper = trees.new(f"{A}EncryptedAssertion", {"saml": SAML})
    key = factories.descriptor(factories.decryption_key("somebody else"), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(b"<x/>", key=key)))
    return wrapper


FAILURES = {
    "for another key": to_somebody_else,
    "a broken wrapped key": lambda: encrypted(
        b"<x/>", spoiled(0, lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]))
    ),
    "a wrapped key of another length": lambda: encrypted(b"<x/>", spoiled(0, lambda octets: octets[:200])),
    "a wrapped key out of range": lambda: encrypted(b"<x/>", spoiled(0, lambda octets: b"\xff" * len(octets))),
    "a broken tag": lambda: encrypted(b"<x/>", spoiled(1, lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]))),
    "a broken nonce": lambda: encrypted(b"<x/>", spoiled(1, lambda octets: b"\0" * 12 + octets[12:])),
    "content too short": lambda: encrypted(b"<x/>", spoiled(1, lambda octets: octets[:7])),
    "content that is no document": lambda: encrypted(b"no document"),
    "content with a DOCTYPE": lambda: encrypted(b"<!DOCTYPE x><x/>"),
    "content that is no UTF-8": lambda: encrypted(b"<x>\xff</x>"),
    "no content": lambda: encrypted(b""),
}


def test_every_failed_decryption_is_the_same_refusal_after_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same error object, check for check, the same number of private-key operations and of decryptions."""
    decryptions: list[int] = []
    real = encryption_ciphers.unseal

    def counting(method: str, key: bytes, sealed: bytes) -> bytes | None:
        decryptions[-1] += 1
        return real(method, key, sealed)

    monkeypatch.setattr(encryption_ciphers, "unseal", counting)
    seen = {}
    for name, make in FAILURES.items():
        keys = Counted("sp-encryption", "an older key")
        decryptions.append(0)
        with pytest.raises(Refused) as caught:
            accept_response(evil_response(make()), decryption_keys=keys.keys)
        error = caught.value
        seen[name] = (type(error), str(error), error.checks, error.args, error.__cause__, keys.asked, decryptions[-1])
    assert {value[1].partition(" ")[0] for value in seen.values()} == {"encryption.opens"}
    assert len({repr(value) for value in seen.values()}) == 1, seen
    assert seen["no content"][5:] == (2, 2)


def test_a_message_costs_a_bounded_number_of_private_key_operations() -> None:
    def repeat(wrapper: etree._Element) -> None:
        holder = next(wrapper.iter(f"{D}KeyInfo"))
        for _ in range(7):
            holder.append(copied(holder[0]))

    keys = Counted(*["an older key"] * 20)
    with pytest.raises(Refused) as caught:
        accept_response(evil_response(encrypted(b"<x/>", repeat)), decryption_keys=keys.keys)
    assert caught.value.rule == "encryption.opens"
    assert keys.asked == MAX_ATTEMPTS


def test_nothing_is_decrypted_for_a_message_that_is_refused_anyway() -> None:
    keys = Counted("sp-encryption")
    for root, expected in (
        (evil_response(encrypted(b"<x/>"), encrypted(b"<x/>")), "response.one_assertion"),
        (evil_response(encrypted(b"<x/>")), "response.destination"),
    ):
        if expected == "response.destination":
            root.set("Destination", "https://other.example.net/acs")
        with pytest.raises(Refused) as caught:
            accept_response(root, decryption_keys=keys.keys)
        assert caught.value.rule == expected
    assert keys.asked == 0


@pytest.mark.parametrize(("place", "rule"), [(MAX_KEYS - 1, None), (MAX_KEYS, "signature.value")])
def test_of_a_partner_s_keys_a_bounded_number_is_tried(place: int, rule: str | None) -> None:
    others = [signing_key("mallory")] * place
    idp = factories.idp_entity(*others, signing_key("idp"))
    if rule is None:
        assert accept_response(factories.signed_response(), idp=idp)
    else:
        with pytest.raises(Refused) as caught:
            accept_response(factories.signed_response(), idp=idp)
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("prefixes", "too_many"),
    [
        ([f"p{number}" for number in range(MAX_PREFIXES)], False),
        ([f"p{number}" for number in range(MAX_PREFIXES + 1)], True),
        (["saml"] * 50_000, False),
    ],
    ids=["few", "many", "one again and again"],
)
@pytest.mark.parametrize("place", ["signature.transforms", "signature.canonicalization"])
def test_prefixes_to_canonicalise_inclusively_are_few_and_each_is_looked_up_once(
    prefixes: list[str], too_many: bool, place: str
) -> None:
    """Each is looked up on each element, before the signature is known to be anybody's."""

    def listed(signed_info: etree._Element) -> None:
        holder = signed_info[0] if place == "signature.canonicalization" else signed_info[2][0][1]
        etree.SubElement(holder, f"{{{Algorithm.EXC_C14N}}}InclusiveNamespaces", PrefixList=" ".join(prefixes))

    root = etree.fromstring(factories.response_xml(sign_response=False, sign_assertion=False))
    root.append(etree.fromstring("<x>" + "<y/>" * 20_000 + "</x>"))
    sign_as(root, change_signed_info=listed)
    with pytest.raises(Refused) as caught:
        accept_response(root)
    assert (caught.value.rule == place) is too_many


@pytest.mark.parametrize("count", [2, 50, 1000])
@pytest.mark.parametrize("tag", ["Reference", "Transform", "SignedInfo", "KeyInfo", "Object"])
def test_whatever_is_repeated_in_a_signature_is_refused_before_it_is_verified(
    tag: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat(block: etree._Element) -> None:
        found = next(block.iter(f"{D}{tag}"), None)
        for _ in range(count - 1 if found is not None else count):
            if found is None:
                etree.SubElement(block, f"{D}{tag}")
            else:
                found.addnext(copied(found))

    def never(*args: object) -> bool:
        raise AssertionError("no key is asked")

    monkeypatch.setattr(signature, "_verifying_key", never)
    root = xml.parse(factories.signed_response(sign="nothing"))
    sign_as(root, change=repeat)
    with pytest.raises(Refused) as caught:
        accept_response(root)
    assert caught.value.rule in ("signature.shape", "signature.transforms")


def test_parts_of_an_assertion_are_counted() -> None:
    confirmations = (factories.confirmation(recipient="https://x.example"),) * 17
    with pytest.raises(Refused) as caught:
        accept_response(factories.signed_response(assertion(subject_confirmations=confirmations)))
    assert caught.value.rule == "xml.shape"


def test_session_indexes_of_a_logout_request_are_counted() -> None:
    message = replace(deliveries.logout_request(), session_indexes=("_s",) * 257)
    with pytest.raises(Refused) as caught:
        logout.accept_request(sent(message), deliveries.at_slo())
    assert caught.value.rule == "xml.shape"


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda text: b"<x>" * 63 + text + b"</x>" * 63, "encryption.opens"),
        (lambda text: text.replace(b"Version=", MANY + b" Version=", 1), "encryption.opens"),
        (lambda text: text.replace(b"</saml:Subject>", b"<x/>" * 33_000 + b"</saml:Subject>"), "encryption.opens"),
    ],
    ids=["depth", "attributes", "elements"],
)  # fmt: skip
def test_what_was_encrypted_is_held_to_the_same_limits(spoil: Callable[[bytes], bytes], rule: str) -> None:
    element = xml.lift(assertion_codec.write(assertion()))
    signature.sign(element, key=signing_key("idp"))
    with pytest.raises(Refused) as caught:
        accept_response(evil_response(encrypted(spoil(xml.serialise(element)))))
    assert caught.value.rule == rule
