"""The one shape of a signature that we look at, checked before any cryptography (SAML Core 5.4).

XML Signature can do much that SAML does not need: several references, to anywhere, through programs of transforms, with
keys fetched from the message. Each rule here refuses one such freedom.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from lxml import etree

from federation.saml.algorithms import Algorithms, in_words, told
from federation.saml.checks import Seen, rule
from federation.saml.names import DS, DSIG11, SAML, Algorithm
from federation.saml.xml import SPACE, namespace_of

SIGNATURE: Final = f"{{{DS}}}Signature"
SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
SIGNATURE_VALUE: Final = f"{{{DS}}}SignatureValue"
KEY_INFO: Final = f"{{{DS}}}KeyInfo"
CANONICALIZATION_METHOD: Final = f"{{{DS}}}CanonicalizationMethod"
SIGNATURE_METHOD: Final = f"{{{DS}}}SignatureMethod"
REFERENCE: Final = f"{{{DS}}}Reference"
TRANSFORMS: Final = f"{{{DS}}}Transforms"
TRANSFORM: Final = f"{{{DS}}}Transform"
DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
INCLUSIVE_NAMESPACES: Final = f"{{{Algorithm.EXC_C14N}}}InclusiveNamespaces"
MAX_PREFIXES: Final = 16
"""Canonicalization looks every prefix of the list up on every element, and nobody has proven anything by then."""
_ISSUER: Final = f"{{{SAML}}}Issuer"
_OUTER: Final = ([SIGNED_INFO, SIGNATURE_VALUE], [SIGNED_INFO, SIGNATURE_VALUE, KEY_INFO])
_KEY_KINDS: Final = frozenset(
    {f"{{{DS}}}X509Data", f"{{{DS}}}KeyName", f"{{{DS}}}KeyValue", f"{{{DSIG11}}}DEREncodedKeyValue"}
)


class Candidate:
    """An element that claims to be signed, its signature taken apart, and what we allow. Nothing here is believed yet.

    Parts that are missing are None; where there are several of a name, the first is taken and `shape` refuses. `digest`
    and `value` are DigestValue and SignatureValue decoded, empty when they are anything but base64 text. The
    algorithms are the URIs of the methods, or empty.
    """

    __slots__ = (
        "algorithms",
        "canonicalization_method",
        "digest",
        "digest_algorithm",
        "digest_method",
        "element",
        "key_info",
        "reference",
        "signature",
        "signature_algorithm",
        "signature_method",
        "signed_info",
        "transforms",
        "value",
    )

    def __init__(self, element: etree._Element, signature: etree._Element, algorithms: Algorithms) -> None:
        self.element = element
        self.signature = signature
        self.algorithms = algorithms
        parts = _first_by_name(signature)
        self.signed_info = parts.get(SIGNED_INFO)
        self.value = _octets(parts.get(SIGNATURE_VALUE))
        self.key_info = parts.get(KEY_INFO)
        parts = _first_by_name(self.signed_info)
        self.canonicalization_method = parts.get(CANONICALIZATION_METHOD)
        self.signature_method = parts.get(SIGNATURE_METHOD)
        self.signature_algorithm = _algorithm(self.signature_method)
        self.reference = parts.get(REFERENCE)
        parts = _first_by_name(self.reference)
        self.transforms = parts.get(TRANSFORMS)
        self.digest_method = parts.get(DIGEST_METHOD)
        self.digest_algorithm = _algorithm(self.digest_method)
        self.digest = _octets(parts.get(DIGEST_VALUE))

    @property
    def last_transform(self) -> etree._Element | None:
        """The last Transform: exclusive canonicalization."""
        return None if self.transforms is None or len(self.transforms) == 0 else self.transforms[-1]


def inclusive_prefixes(method: etree._Element | None) -> list[str]:
    """The prefix list of an exclusive canonicalization, each once (Exclusive XML Canonicalization 3)."""
    found = None if method is None else method.find(INCLUSIVE_NAMESPACES)
    return [] if found is None else list(dict.fromkeys(found.get("PrefixList", "").split()))


def _first_by_name(parent: etree._Element | None) -> dict[str, etree._Element]:
    return {} if parent is None else {child.tag: child for child in reversed(parent)}


def _algorithm(element: etree._Element | None) -> str:
    return "" if element is None else element.get("Algorithm", "")


def _octets(element: etree._Element | None) -> bytes:
    if element is None or len(element):
        return b""
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _names(elements: etree._Element | list[etree._Element]) -> list[str]:
    return [element.tag for element in elements]


@rule("signature.place", "SAML Core 5.4.2")
def place(candidate: Candidate) -> Seen:
    """The signature is enveloped: a direct child of what it signs, the only one, first or right after Issuer."""
    children = _names(candidate.element)
    ok = (
        candidate.signature.getparent() is candidate.element
        and children.count(SIGNATURE) == 1
        and (children[:2] == [_ISSUER, SIGNATURE] or (children[0] == SIGNATURE and _ISSUER not in children))
    )
    return ok, "one signature, first or right after Issuer", "as expected" if ok else "another arrangement"


@rule("signature.shape", "SAML Core 5.4; XML Signature 4")
def shape(candidate: Candidate) -> Seen:
    """One SignedInfo with one Reference, one value, at most one KeyInfo; no Object, nothing else."""
    expected = "one SignedInfo, one Reference, one value, no Object"
    if candidate.signed_info is None or candidate.reference is None:
        return False, expected, "an incomplete signature"
    ok = (
        _names(candidate.signature) in _OUTER
        and _names(candidate.signed_info) == [CANONICALIZATION_METHOD, SIGNATURE_METHOD, REFERENCE]
        and _names(candidate.reference) == [TRANSFORMS, DIGEST_METHOD, DIGEST_VALUE]
    )
    return ok, expected, expected if ok else "other or more elements"


@rule("signature.reference", "SAML Core 5.4.2")
def reference(candidate: Candidate) -> Seen:
    """The one reference is to the ID of the element that envelops the signature, by plain string."""
    identifier = candidate.element.get("ID")
    uri = None if candidate.reference is None else candidate.reference.get("URI")
    ok = bool(identifier) and uri == f"#{identifier}"
    return ok, "# and the ID of the enclosing element", "as expected" if ok else "another reference"


@rule("signature.transforms", "SAML Core 5.4.4")
def transforms(candidate: Candidate) -> Seen:
    """Exactly the enveloped-signature transform and then exclusive canonicalization without comments."""
    steps = [] if candidate.transforms is None else list(candidate.transforms)
    ok = (
        _names(steps) == [TRANSFORM, TRANSFORM]
        and [step.get("Algorithm") for step in steps] == [Algorithm.ENVELOPED, Algorithm.EXC_C14N]
        and len(steps[0]) == 0
        and _names(steps[1]) in ([], [INCLUSIVE_NAMESPACES])
        and len(inclusive_prefixes(steps[1])) <= MAX_PREFIXES
    )
    return ok, "enveloped-signature, exclusive canonicalization", "as expected" if ok else "other transforms"


@rule("signature.canonicalization", "SAML Core 5.4.3")
def canonicalization(candidate: Candidate) -> Seen:
    """SignedInfo itself is canonicalised exclusively and without comments."""
    found = candidate.canonicalization_method
    ok = (
        found is not None
        and found.get("Algorithm") == Algorithm.EXC_C14N
        and _names(found) in ([], [INCLUSIVE_NAMESPACES])
        and len(inclusive_prefixes(found)) <= MAX_PREFIXES
    )
    return ok, Algorithm.EXC_C14N, Algorithm.EXC_C14N if ok else "another canonicalization"


@rule("signature.algorithm", "SDP-ALG01; XML Signature 6.4")
def algorithm(candidate: Candidate) -> Seen:
    """The signature method is one that we allow, with no parameter that could weaken it."""
    found, uri = candidate.signature_method, candidate.signature_algorithm
    ok = found is not None and uri in candidate.algorithms.signature and len(found) == 0
    return ok, f"one of {in_words(candidate.algorithms.signature)}", told(uri, ok=ok)


@rule("signature.digest", "SDP-ALG01; XML Signature 6.2")
def digest(candidate: Candidate) -> Seen:
    """The digest method is one that we allow."""
    found, uri = candidate.digest_method, candidate.digest_algorithm
    ok = found is not None and uri in candidate.algorithms.digest and len(found) == 0
    return ok, f"one of {in_words(candidate.algorithms.digest)}", told(uri, ok=ok)


@rule("signature.base64", "XML Signature 4.2, 4.3.3.6")
def base64_values(candidate: Candidate) -> Seen:
    """DigestValue and SignatureValue hold base64 text and nothing beside it."""
    ok = bool(candidate.digest) and bool(candidate.value)
    return ok, "base64 text only", "as expected" if ok else "something else"


@rule("signature.key_info", "SAML Core 5.4.5")
def key_info(candidate: Candidate) -> Seen:
    """KeyInfo, which we never use, holds only what describes a key: it is not signed and must not smuggle."""
    expected, found = "X509Data, KeyName or KeyValue", candidate.key_info
    if found is None:
        return True, expected, "none"
    ok = all(str(child.tag) in _KEY_KINDS for child in found) and all(
        namespace_of(inner) in (DS, DSIG11) for inner in found.iterdescendants()
    )
    ok = ok and not (found.text or "").strip(SPACE)
    return ok, expected, expected if ok else "something else"


RULES: Final = (
    place,
    shape,
    reference,
    transforms,
    canonicalization,
    algorithm,
    digest,
    base64_values,
    key_info,
)
"""What a signature must look like before a key touches it, in order."""
