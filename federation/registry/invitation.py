"""Connect by invitation: the link, and what the two sites' servers say to each other about it.

    GET  LINK/metadata     the identity provider's signed metadata; the link names the key that signs it
    POST LINK/exchange     step=propose  the service provider's signed metadata and addresses
                           step=agree    its administrator has confirmed
    GET  LINK/exchange     how things stand (`Standing`)

Whoever has the link may propose, once. What the service provider says is signed by the key that its metadata names for
signing, over the link and everything that the step says: so nobody can propose somebody else's metadata, put another
SCIM address beside it, or agree in its name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from federation.errors import Malformed
from federation.saml import certificates
from federation.saml.metadata.entity import KeyDescriptor
from federation.saml.metadata.locations import is_secure
from federation.saml.names import Algorithm
from federation.saml.signature import SigningKey
from federation.saml.signature_keys import RSA, load_public_key

METADATA: Final = "/metadata"
EXCHANGE: Final = "/exchange"
PROPOSE: Final = "propose"
AGREE: Final = "agree"
MAX_METADATA: Final = 1_048_576
MAX_BODY: Final = 3 * MAX_METADATA
"""Octets of a proposal: metadata in base64, percent-encoded, and the rest."""

_PARAMETER: Final = "key"
_LONGEST: Final = 2048
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}")
_DOMAIN: Final = b"saml-federation invitation 1\n"


@dataclass(frozen=True, slots=True)
class Link:
    """An invitation's link: its address, and the fingerprint of the key that signs the identity provider's metadata."""

    address: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.address}?{_PARAMETER}={self.fingerprint.replace(':', '')}"

    @property
    def metadata_url(self) -> str:
        """Where the identity provider's metadata is."""
        return self.address + METADATA

    @property
    def exchange_url(self) -> str:
        """Where the servers talk."""
        return self.address + EXCHANGE

    @classmethod
    def read(cls, text: str, *, allow_http_loopback: bool) -> Link:
        """A link that somebody pasted. Raises `Malformed` (rule `invitation.link`)."""
        text = text.strip()
        try:
            parts = urlsplit(text)
            named = parse_qs(parts.query).get(_PARAMETER, [])
        except ValueError:
            parts, named = urlsplit(""), []
        whole = len(named) == 1 and _HEX.fullmatch(named[0]) is not None and len(text) <= _LONGEST
        if not whole or "@" in parts.netloc or not parts.path.strip("/"):
            raise Malformed("invitation.link", "this is not the whole link of an invitation: copy it again")
        address = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        if not is_secure(address, allow_http_loopback=allow_http_loopback):
            raise Malformed("invitation.link", "the link of an invitation begins with https://")
        return cls(address, certificates.normalise_fingerprint(named[0]))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a service provider says of itself. `signature` is its own, over all of it and the link's address."""

    document: bytes
    scim_url: str
    token_url: str
    signature: bytes = b""

    def signed(self, address: str, key: SigningKey) -> Proposal:
        """The same, signed."""
        return Proposal(self.document, self.scim_url, self.token_url, _sign(key, self._said(address)))

    def is_by(self, keys: Sequence[KeyDescriptor], address: str) -> bool:
        """Whether one of these keys has signed it, for this link."""
        return _is_by(keys, self._said(address), self.signature)

    def _said(self, address: str) -> tuple[str, ...]:
        return (PROPOSE, address, self.scim_url, self.token_url, hashlib.sha256(self.document).hexdigest())

    def to_form(self) -> dict[str, str]:
        """As fields of a form."""
        return {
            "step": PROPOSE,
            "metadata": base64.b64encode(self.document).decode(),
            "scim_url": self.scim_url,
            "token_url": self.token_url,
            "signature": base64.b64encode(self.signature).decode(),
        }

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> Proposal:
        """From the fields of a form. Raises `Malformed` (rule `invitation.proposal`)."""
        document = octets(form.get("metadata", ""))
        if not document or len(document) > MAX_METADATA:
            raise Malformed("invitation.proposal", f"no metadata, or more than {MAX_METADATA} octets of it")
        return cls(document, form.get("scim_url", ""), form.get("token_url", ""), octets(form.get("signature", "")))


def agreement(address: str, entity_id: str, key: SigningKey) -> dict[str, str]:
    """That the administrator of the service provider has confirmed, as fields of a form, signed."""
    return {"step": AGREE, "signature": base64.b64encode(_sign(key, (AGREE, address, entity_id))).decode()}


def agreement_is_by(keys: Sequence[KeyDescriptor], address: str, entity_id: str, signature: bytes) -> bool:
    """Whether one of these keys has signed the agreement."""
    return _is_by(keys, (AGREE, address, entity_id), signature)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an invitation stands: who has confirmed. `site` is the identity provider's name for people."""

    site: str
    proposed: bool
    they_agreed: bool
    you_agreed: bool

    @property
    def connected(self) -> bool:
        """Whether both have confirmed."""
        return self.they_agreed and self.you_agreed

    def to_json(self) -> dict[str, str | bool]:
        """As an object."""
        return {
            "site": self.site,
            "proposed": self.proposed,
            "they_agreed": self.they_agreed,
            "you_agreed": self.you_agreed,
        }

    @classmethod
    def from_json(cls, content: bytes) -> Standing:
        """From an answer. Raises `Malformed` (rule `invitation.answer`)."""
        try:
            told = json.loads(content)
            flags = [told[name] for name in ("proposed", "they_agreed", "you_agreed")]
            site = told["site"]
        except (ValueError, KeyError, TypeError, RecursionError):
            flags, site = [], ""
        if not isinstance(site, str) or len(flags) != 3 or not all(isinstance(flag, bool) for flag in flags):
            raise Malformed("invitation.answer", "the other side's answer cannot be read")
        return cls(site[:256], *flags)


def octets(text: str) -> bytes:
    """Base64 to octets. Raises `Malformed` (rule `invitation.proposal`)."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("invitation.proposal", "a field is not base64") from None


def _sign(key: SigningKey, said: Sequence[str]) -> bytes:
    return key.sign(_octets_of(said), _algorithm(key.kind))


def _is_by(keys: Sequence[KeyDescriptor], said: Sequence[str], signature: bytes) -> bool:
    known = [key for each in keys if (key := load_public_key(each.public_key)) is not None]
    return any(key.verifies_octets(_octets_of(said), signature, _algorithm(key.kind)) for key in known)


def _algorithm(kind: str) -> str:
    return Algorithm.RSA_SHA256 if kind == RSA else Algorithm.ECDSA_SHA256


def _octets_of(said: Sequence[str]) -> bytes:
    """One reading only: JSON keeps the parts apart. The first line keeps it from being taken for anything else."""
    return _DOMAIN + json.dumps(list(said)).encode()
