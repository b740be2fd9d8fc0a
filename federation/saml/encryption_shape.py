"""The one shape of encrypted content that we decrypt (XML Encryption 1.1; SAML Core 2.2.4, 2.3.4, 2.7.3.2).

The values stand in the message, the wrapped key stands inside EncryptedData's KeyInfo or right beside EncryptedData,
and a RetrievalMethod may point to such a neighbour. No reference leads anywhere else, and no transform runs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final, NamedTuple

from lxml import etree

from federation.saml.algorithms import CBC, DEFAULT_ALGORITHMS, LEGACY_TRANSPORTS, Algorithms, in_words, told
from federation.saml.checks import Seen, rule
from federation.saml.names import DS, DSIG11, XENC, XENC11, Algorithm
from federation.saml.xml import namespace_of

MAX_WRAPPED_KEYS: Final = 8

ENCRYPTED_DATA: Final = f"{{{XENC}}}EncryptedData"
ENCRYPTED_KEY: Final = f"{{{XENC}}}EncryptedKey"
ENCRYPTION_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
CIPHER_DATA: Final = f"{{{XENC}}}CipherData"
CIPHER_VALUE: Final = f"{{{XENC}}}CipherValue"
REFERENCE_LIST: Final = f"{{{XENC}}}ReferenceList"
DATA_REFERENCE: Final = f"{{{XENC}}}DataReference"
CARRIED_KEY_NAME: Final = f"{{{XENC}}}CarriedKeyName"
KEY_SIZE: Final = f"{{{XENC}}}KeySize"
OAEP_PARAMS: Final = f"{{{XENC}}}OAEPparams"
ENCRYPTION_PROPERTIES: Final = f"{{{XENC}}}EncryptionProperties"
MGF: Final = f"{{{XENC11}}}MGF"
KEY_INFO: Final = f"{{{DS}}}KeyInfo"
DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
RETRIEVAL_METHOD: Final = f"{{{DS}}}RetrievalMethod"
_DATA_ORDER: Final = (ENCRYPTION_METHOD, KEY_INFO, CIPHER_DATA, ENCRYPTION_PROPERTIES)
_KEY_ORDER: Final = (*_DATA_ORDER, REFERENCE_LIST, CARRIED_KEY_NAME)
_KEY_HINTS: Final = frozenset(
    {f"{{{DS}}}X509Data", f"{{{DS}}}KeyName", f"{{{DS}}}KeyValue", f"{{{DSIG11}}}DEREncodedKeyValue"}
)

DIGESTS: Final = (Algorithm.SHA1, Algorithm.SHA256)
MASKS: Final = (Algorithm.MGF1_SHA1, Algorithm.MGF1_SHA256)


class WrappedKey(NamedTuple):
    """A content key as an EncryptedKey carries it: its octets; key transport, OAEP digest, mask generation as URIs.

    `label` is what OAEPparams holds: octets that both sides must know, and that nearly always are none.
    """

    transport: str
    value: bytes
    digest: str
    mask: str
    label: bytes = b""


class Candidate:
    """An EncryptedAssertion, EncryptedID or EncryptedAttribute, taken apart. Nothing here is believed yet.

    `keys` are the EncryptedKey elements, those inside EncryptedData first, then those beside it; `wrapped_keys` what
    they carry, in the same order; `content` the octets of the content's CipherValue, empty when it is not base64 text.
    `algorithms` are those that we allow; `covered` says that a verified signature covers this very element.
    """

    __slots__ = ("algorithms", "content", "covered", "data", "key_info", "keys", "method", "wrapped_keys", "wrapper")

    def __init__(
        self, wrapper: etree._Element, algorithms: Algorithms = DEFAULT_ALGORITHMS, *, covered: bool = False
    ) -> None:
        data = _child(wrapper, ENCRYPTED_DATA)
        self.algorithms = algorithms
        self.covered = covered
        self.wrapper = wrapper
        self.data = etree.Element(ENCRYPTED_DATA) if data is None else data
        self.method = _child(self.data, ENCRYPTION_METHOD)
        self.key_info = _child(self.data, KEY_INFO)
        inside = () if self.key_info is None else self.key_info.iterchildren(ENCRYPTED_KEY)
        self.keys = (*inside, *wrapper.iterchildren(ENCRYPTED_KEY))
        self.content = _value(self.data)
        self.wrapped_keys = tuple(_wrapped(key) for key in self.keys)

    @property
    def algorithm(self) -> str:
        """The URI of the content method, or an empty string."""
        return _algorithm(self.method)


def _names(elements: Iterable[etree._Element] | None) -> list[str]:
    return [] if elements is None else [str(element.tag) for element in elements]


def _child(parent: etree._Element | None, tag: str) -> etree._Element | None:
    return None if parent is None else next(parent.iterchildren(tag), None)


def _algorithm(element: etree._Element | None) -> str:
    return "" if element is None else element.get("Algorithm", "")


def _value(parent: etree._Element) -> bytes:
    return _octets(_child(_child(parent, CIPHER_DATA), CIPHER_VALUE))


def _octets(found: etree._Element | None) -> bytes:
    if found is None or len(found):
        return b""
    try:
        return base64.b64decode("".join((found.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _wrapped(key: etree._Element) -> WrappedKey:
    # XML Encryption 1.1, 5.5.2: the digest is SHA-1 where none is named; the older identifier always masks with MGF1
    # and SHA-1, the newer one does where no MGF is named.
    digest, mask = Algorithm.SHA1, Algorithm.MGF1_SHA1
    method = _child(key, ENCRYPTION_METHOD)
    transport = _algorithm(method)
    digest = _algorithm(_child(method, DIGEST_METHOD)) or digest
    if transport == Algorithm.RSA_OAEP:
        mask = _algorithm(_child(method, MGF)) or mask
    return WrappedKey(transport, _value(key), digest, mask, _octets(_child(method, OAEP_PARAMS)))


@rule("encryption.structure", "SAML Core 2.2.4; XML Encryption 3.1, 3.4")
def structure(candidate: Candidate) -> Seen:
    """One EncryptedData of an element, its method, key and value; wrapped keys inside it or beside it; no more."""
    expected = "one EncryptedData with its keys"
    outer, data = _names(candidate.wrapper), candidate.data
    ok = (
        outer[:1] == [ENCRYPTED_DATA]
        and outer.count(ENCRYPTED_KEY) == len(outer) - 1
        and _in_order(data, _DATA_ORDER)
        and data.get("Type", f"{XENC}Element") == f"{XENC}Element"
        and data.get("Encoding") is None
        and all(_is_key(key) for key in candidate.keys)
    )
    return ok, expected, expected if ok else "another structure"


def _in_order(element: etree._Element, order: tuple[str, ...]) -> bool:
    """Method and value are there, the rest of this order may be, and nothing else."""
    names = _names(element)
    in_order = names == [name for name in order if name in names]
    return in_order and ENCRYPTION_METHOD in names and CIPHER_DATA in names


def _is_key(key: etree._Element) -> bool:
    if not _in_order(key, _KEY_ORDER):
        return False
    hints, references = _child(key, KEY_INFO), _child(key, REFERENCE_LIST)
    return (hints is None or _only_hints(hints)) and (references is None or set(_names(references)) <= {DATA_REFERENCE})


def _only_hints(key_info: etree._Element) -> bool:
    return set(_names(key_info)) <= _KEY_HINTS and all(
        namespace_of(inner) in (DS, DSIG11) for inner in key_info.iterdescendants()
    )


@rule("encryption.method", "IIP-ALG04; XML Encryption 5.2.4")
def method(candidate: Candidate) -> Seen:
    """The content method is one that we allow: AES-GCM, whose tag authenticates; CBC where a preset says so."""
    ok = candidate.algorithm in candidate.algorithms.data and set(_names(candidate.method)) <= {KEY_SIZE}
    return ok, f"one of {in_words(candidate.algorithms.data)}", told(candidate.algorithm, ok=ok)


@rule("encryption.keys", "SAML Core 2.2.4")
def keys(candidate: Candidate) -> Seen:
    """There is a wrapped key, and there are not so many that trying them becomes an attack."""
    ok = 1 <= len(candidate.keys) <= MAX_WRAPPED_KEYS
    return ok, f"1 to {MAX_WRAPPED_KEYS} wrapped keys", str(len(candidate.keys))


@rule("encryption.key_transport", "IIP-ALG06; XML Encryption 5.5.2")
def key_transport(candidate: Candidate) -> Seen:
    """Every wrapped key uses RSA-OAEP with SHA-1 or SHA-256; PKCS #1 v1.5 where a preset says so."""
    ok = all(
        wrapped.transport in candidate.algorithms.key_transport
        and wrapped.digest in DIGESTS
        and wrapped.mask in MASKS
        and set(_names(_child(key, ENCRYPTION_METHOD))) <= {KEY_SIZE, OAEP_PARAMS, DIGEST_METHOD, MGF}
        for wrapped, key in zip(candidate.wrapped_keys, candidate.keys, strict=True)
    )
    received = ", ".join(told(wrapped.transport, ok=ok) for wrapped in candidate.wrapped_keys)
    return ok, f"{in_words(candidate.algorithms.key_transport)} with SHA-1 or SHA-256", received or "none"


@rule("encryption.covered", "IIP-ALG05; XML Encryption 6.1.2, 6.1.3")
def covered(candidate: Candidate) -> Seen:
    """Malleable encryption is opened only inside something signed, or whoever sends variants of it could read it."""
    malleable = candidate.algorithm in CBC or any(
        wrapped.transport in LEGACY_TRANSPORTS for wrapped in candidate.wrapped_keys
    )
    expected = "a signature around it" if malleable else "a signature around it, or none"
    return candidate.covered or not malleable, expected, "a signature around it" if candidate.covered else "none"


@rule("encryption.key_info", "SAML Core 6.1; XML Encryption 3.5")
def key_info(candidate: Candidate) -> Seen:
    """KeyInfo holds hints and wrapped keys; a RetrievalMethod points to a key beside the data, plainly."""
    expected = "wrapped keys in the same element"
    neighbours = {f"#{key.get('Id')}" for key in candidate.wrapper.iterchildren(ENCRYPTED_KEY) if key.get("Id")}
    for child in () if candidate.key_info is None else candidate.key_info:
        if child.tag == RETRIEVAL_METHOD:
            ok = len(child) == 0 and child.get("URI") in neighbours
        else:
            ok = child.tag == ENCRYPTED_KEY or child.tag in _KEY_HINTS
        if not ok:
            return False, expected, "something else"
    return True, expected, expected


@rule("encryption.inline", "XML Encryption 3.3")
def inline(candidate: Candidate) -> Seen:
    """Every CipherData holds one CipherValue of base64 text: no CipherReference, which would fetch."""
    holders = (candidate.data, *candidate.keys)
    ok = bool(candidate.content) and all(wrapped.value for wrapped in candidate.wrapped_keys)
    ok = ok and all(_names(_child(holder, CIPHER_DATA)) == [CIPHER_VALUE] for holder in holders)
    return ok, "inline values", "inline values" if ok else "something else"


RULES: Final = (structure, method, keys, key_transport, covered, key_info, inline)
"""What encrypted content must look like before a key touches it, in order."""
