"""Which algorithms may be used with one partner: the profiles' own, less what a site bans, plus what a preset allows.

SHA-1 and MD5 in signatures, RSA PKCS #1 v1.5 as key transport and AES-CBC are never used, unless a connection carries
the legacy preset that names exactly this; MD5, triple DES and symmetric signatures cannot be had at all. A site's ban
goes beyond that, and no preset overrules it (IIP-ALG08). The hashes inside OAEP and MGF1 are no signatures, and exempt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from federation.errors import ConfigurationError
from federation.saml.names import Algorithm

SIGNATURE_ALGORITHMS: Final = (
    Algorithm.RSA_SHA256,
    Algorithm.RSA_SHA384,
    Algorithm.RSA_SHA512,
    Algorithm.ECDSA_SHA256,
    Algorithm.ECDSA_SHA384,
    Algorithm.ECDSA_SHA512,
)
DIGEST_ALGORITHMS: Final = (Algorithm.SHA256, Algorithm.SHA384, Algorithm.SHA512)
DATA_ALGORITHMS: Final = (Algorithm.AES256_GCM, Algorithm.AES128_GCM)
KEY_TRANSPORT_ALGORITHMS: Final = (Algorithm.RSA_OAEP_MGF1P, Algorithm.RSA_OAEP)
"""What everybody may use, in our order of preference."""

LEGACY_SIGNATURES: Final = (Algorithm.RSA_SHA1, Algorithm.ECDSA_SHA1)
LEGACY_DIGESTS: Final = (Algorithm.SHA1,)
CBC: Final = (Algorithm.AES128_CBC, Algorithm.AES256_CBC, Algorithm.AES192_CBC)
LEGACY_TRANSPORTS: Final = (Algorithm.RSA_1_5,)
"""What only a legacy preset allows."""


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Which algorithms messages to and from a partner may use, as URIs: for signatures, digests, content, its key."""

    signature: frozenset[str] = frozenset(SIGNATURE_ALGORITHMS)
    digest: frozenset[str] = frozenset(DIGEST_ALGORITHMS)
    data: frozenset[str] = frozenset(DATA_ALGORITHMS)
    key_transport: frozenset[str] = frozenset(KEY_TRANSPORT_ALGORITHMS)

    def without(self, banned: Collection[str]) -> Algorithms:
        """The same less what is banned."""
        return Algorithms(*(each - frozenset(banned) for each in self._groups))

    def with_(self, more: Collection[str]) -> Algorithms:
        """The same and more: each URI joins the group that it belongs to."""
        known = (LEGACY_SIGNATURES, LEGACY_DIGESTS, CBC, LEGACY_TRANSPORTS)
        return Algorithms(
            *(each | frozenset(more) & frozenset(group) for each, group in zip(self._groups, known, strict=True))
        )

    @property
    def _groups(self) -> tuple[frozenset[str], ...]:
        return self.signature, self.digest, self.data, self.key_transport


DEFAULT_ALGORITHMS: Final = Algorithms()


@dataclass(frozen=True, slots=True)
class Preset:
    """A named departure from the default for one partner: exactly which URIs it allows, and what is lost by it."""

    name: str
    allows: tuple[str, ...]
    weakness: str


DEFAULT: Final = "default"
PLAIN: Final = "plain"
_PRESETS: Final = (
    Preset(
        "legacy-cbc",
        CBC,
        "AES-CBC may encrypt: it does not notice changed content, so it is accepted only inside a signed message",
    ),
    Preset(
        "legacy-rsa15",
        LEGACY_TRANSPORTS,
        "RSA PKCS #1 v1.5 may carry content keys: it is open to padding attacks, so it is accepted only inside a "
        "signed message",
    ),
    Preset(
        "legacy-sha1",
        (*LEGACY_SIGNATURES, *LEGACY_DIGESTS),
        "SHA-1 signatures are accepted and made: whoever can afford a collision can forge one",
    ),
    Preset(PLAIN, (), "assertions are not encrypted: the person's browser can read what it carries"),
)
PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({preset.name: preset for preset in _PRESETS})
"""Every preset by name. Without any, a connection is strict; several add up."""


def presets_named(names: Iterable[str]) -> tuple[str, ...]:
    """The presets of a connection, without doubles and in the table's order; `default` alone stands for none.

    Raises `ConfigurationError` for one that does not exist, and for `default` beside another.
    """
    given = set(names)
    unknown = sorted(given - {DEFAULT, *PRESETS})
    if unknown:
        raise ConfigurationError(f"no preset is called {unknown[0]!r}; choose from {DEFAULT}, {', '.join(PRESETS)}")
    if DEFAULT in given and len(given) > 1:
        raise ConfigurationError(f"the preset {DEFAULT} allows nothing beside itself: leave it out, or the others")
    return tuple(name for name in PRESETS if name in given)


def weaknesses(presets: Iterable[str]) -> tuple[Preset, ...]:
    """What a connection's presets cost, for everybody who looks at it."""
    return tuple(PRESETS[name] for name in presets)


@lru_cache(maxsize=256)
def allowed(presets: tuple[str, ...] = (), banned: frozenset[str] = frozenset()) -> Algorithms:
    """What may be used with a partner under these presets, on a site with these bans. The bans win (IIP-ALG08)."""
    return DEFAULT_ALGORITHMS.with_([uri for name in presets for uri in PRESETS[name].allows]).without(banned)


_PRESET_OF: Final[Mapping[str, Preset]] = MappingProxyType(
    {uri: preset for preset in _PRESETS for uri in preset.allows}
)


WEAK: Final = "Weak, allowed by the preset"


def told(uri: str, *, ok: bool) -> str:
    """An algorithm that a message uses, for its check. With what it costs, where only a preset lets it through."""
    preset = _PRESET_OF.get(uri) if ok else None
    return (uri or "none") if preset is None else f"{uri}. {WEAK} {preset.name}: {preset.weakness}"


NEVER: Final = (
    "http://www.w3.org/2001/04/xmldsig-more#md5",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
)
"""What cannot be had at all, and may be banned all the same."""


def bans(uris: Iterable[str]) -> frozenset[str]:
    """A site's ban list. Raises `ConfigurationError` for a URI that bans nothing, and when nothing would be left."""
    banned = frozenset(uris)
    known = {*SIGNATURE_ALGORITHMS, *DIGEST_ALGORITHMS, *DATA_ALGORITHMS, *KEY_TRANSPORT_ALGORITHMS, *NEVER}
    known |= {uri for preset in PRESETS.values() for uri in preset.allows}
    unknown = sorted(banned - known)
    if unknown:
        raise ConfigurationError(
            *(f"{uri!r} is no algorithm that is known here: write its whole URI" for uri in unknown)
        )
    require_some(allowed((), banned))
    return banned


def require_some(algorithms: Algorithms) -> None:
    """A site that banned everything of a kind could sign or encrypt nothing. Raises `ConfigurationError`."""
    kinds = (
        ("signature", algorithms.signature),
        ("digest", algorithms.digest),
        ("content encryption", algorithms.data),
        ("key transport", algorithms.key_transport),
    )
    empty = [kind for kind, uris in kinds if not uris]
    if empty:
        raise ConfigurationError(*(f"every {kind} algorithm is banned: leave one" for kind in empty))


@lru_cache(maxsize=256)
def in_words(uris: frozenset[str]) -> str:
    """Algorithms for people: the names behind their URIs, in our order."""
    order = (
        *SIGNATURE_ALGORITHMS,
        *LEGACY_SIGNATURES,
        *DIGEST_ALGORITHMS,
        *LEGACY_DIGESTS,
        *DATA_ALGORITHMS,
        *CBC,
        *KEY_TRANSPORT_ALGORITHMS,
        *LEGACY_TRANSPORTS,
    )
    return ", ".join(uri.rpartition("#")[2] for uri in order if uri in uris) or "none"
