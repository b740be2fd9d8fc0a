"""What a message to a partner is signed with: the algorithms that its metadata lists, our key does and no ban forbids.

A partner that lists algorithms gets no others (IIP-MD10): the first in its order that is left, and those of a legacy
preset only when nothing better is. One that lists none gets our own choice, or the preset's where it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from federation.errors import PolicyRefusal
from federation.saml.algorithms import (
    DIGEST_ALGORITHMS,
    LEGACY_DIGESTS,
    LEGACY_SIGNATURES,
    SIGNATURE_ALGORITHMS,
    Algorithms,
    in_words,
)
from federation.saml.metadata.entity import Role, SigningMethod
from federation.saml.signature_keys import METHODS, SigningKey

SIGNATURE: Final = "algorithms.signature"
DIGEST: Final = "algorithms.digest"


class NothingInCommon(PolicyRefusal):
    """The partner lists algorithms of a kind, and none of them may be used here or fits our key."""


def signing_key(key: SigningKey, role: Role | None, allowed: Algorithms) -> SigningKey:
    """Our key, set to the algorithms for messages to a partner's role, or for nobody in particular (None).

    Raises `NothingInCommon`, whose text says what the partner lists and what we could do.
    """
    methods = () if role is None else role.signing_methods
    digests = () if role is None else role.digest_algorithms
    return key.using(*_chosen(key.kind, key.bits, key.algorithm, methods, digests, allowed))


@lru_cache(maxsize=1024)
def _chosen(
    kind: str,
    bits: int,
    usual: str,
    methods: tuple[SigningMethod, ...],
    digests: tuple[str, ...],
    allowed: Algorithms,
) -> tuple[str, str]:
    """The algorithms of signature and digest, for a key of a kind and size. Remembered: partners differ in few ways."""
    ours = frozenset(uri for uri in allowed.signature if METHODS[uri].kind == kind)
    if methods:
        candidates = _strict_first([method.algorithm for method in methods if method.takes(bits)], SIGNATURE_ALGORITHMS)
    else:
        candidates = [*LEGACY_SIGNATURES, usual, *SIGNATURE_ALGORITHMS]
    algorithm = _pick(candidates, ours, SIGNATURE, "signature", [method.algorithm for method in methods])
    if digests:
        return algorithm, _pick(_strict_first(digests, DIGEST_ALGORITHMS), allowed.digest, DIGEST, "digest", digests)
    usual_digests = [_BESIDE[METHODS[algorithm].hash.name], *DIGEST_ALGORITHMS]
    return algorithm, _pick(usual_digests, allowed.digest, DIGEST, "digest", ())


_BESIDE: Final = {
    "sha1": LEGACY_DIGESTS[0],
    **dict(zip(("sha256", "sha384", "sha512"), DIGEST_ALGORITHMS, strict=True)),
}
"""The digest that goes with the hash of a signature where nobody chose another."""


def _strict_first(listed: Sequence[str], strict: Sequence[str]) -> list[str]:
    return sorted(listed, key=lambda uri: uri not in strict)


def _pick(candidates: Sequence[str], ours: frozenset[str], rule: str, kind: str, listed: Sequence[str]) -> str:
    found = next((uri for uri in candidates if uri in ours), None)
    if found is None:
        theirs = ", ".join(listed) or "none"
        raise NothingInCommon(
            rule, f"no {kind} algorithm is left for this partner: its metadata lists {theirs}; here: {in_words(ours)}"
        )
    return found
