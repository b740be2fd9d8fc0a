"""What the keys of a role lack against the profiles (SDP-MD05 to 08, SDP-ALG01). See `lint`.

A key that cannot be used at all was skipped by the reader, with a finding of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from federation.errors import Malformed
from federation.saml import encryption
from federation.saml.certificates import container_of
from federation.saml.metadata.entity import IdPRole, Role, SPRole
from federation.saml.metadata.findings import Findings, Level
from federation.saml.metadata.keys import RSA, kind_and_bits
from federation.saml.times import format_instant

NEW_RSA_BITS: Final = 3072
"""What a key that is made today should have at least; 2048 is accepted."""


def lint_keys(role: Role, name: str, findings: Findings, *, now: datetime | None) -> None:
    """Note what a role's keys lack. Without `now` no date is judged."""
    if isinstance(role, IdPRole):
        _idp(role, findings)
    elif isinstance(role, SPRole):
        _sp(role, findings)
    if any(key.certificate is None for key in role.keys):
        message = f"a key of the {name} is no X.509 certificate, which much software demands"
        findings.add("metadata.key.bare", Level.WARNING, message, "SDP-MD05", place=f"{name} KeyDescriptor")
    if any(kind == RSA and bits < NEW_RSA_BITS for kind, bits in (kind_and_bits(key.public_key) for key in role.keys)):
        message = f"the {name} has an RSA key of less than {NEW_RSA_BITS} bits: a new one should be longer"
        findings.add("metadata.key.short", Level.INFO, message, "SDP-MD06", place=f"{name} KeyDescriptor")
    _certificates(role, name, findings, now)


def _idp(idp: IdPRole, findings: Findings) -> None:
    if not idp.signing_keys:
        message = "the IdP has no usable signing key: nothing it says can be believed"
        findings.add("metadata.signing_key.missing", Level.WARNING, message, "SDP-MD08; SDP-IDP33", place="IdP")


def _sp(sp: SPRole, findings: Findings) -> None:
    if not sp.encryption_keys:
        message = "the SP has no encryption key: the person's browser can read what it carries to it"
        findings.add("metadata.encryption_key.missing", Level.WARNING, message, "SDP-MD08; SDP-SP39", place="SP")
    elif not any(encryption.suits(key) for key in sp.encryption_keys):
        message = "the SP has no RSA encryption key for AES-GCM and OAEP: nothing can be encrypted to it"
        reference = "SDP-ALG01; IIP-ALG04; IIP-ALG06"
        findings.add("metadata.encryption_key.unfit", Level.WARNING, message, reference, place="SP")
    if sp.signing_keys:
        return
    if sp.authn_requests_signed:
        message = "the SP promises signed requests and has no signing key: none of them can be accepted"
        findings.add("metadata.signing_key.promised", Level.WARNING, message, "SDP-MD01; SDP-MD04", place="SP")
    if sp.single_logout:
        message = "the SP offers single logout and has no signing key: its logout messages cannot be accepted"
        findings.add("metadata.signing_key.missing", Level.WARNING, message, "SDP-SP39; SDP-SP28", place="SP")


def _certificates(role: Role, name: str, findings: Findings, now: datetime | None) -> None:
    """Advice about the containers. Whatever they say, their keys are used (IIP-MD12)."""
    place = f"{name} KeyDescriptor"
    for certificate in dict.fromkeys(key.certificate for key in role.keys if key.certificate is not None):
        try:
            container = container_of(certificate)
        except Malformed:
            message = f"a certificate of the {name} is oddly made: some software will not read it"
            findings.add("metadata.key.certificate", Level.INFO, message, "SDP-MD05; IIP-MD12", place=place)
            continue
        if now is not None and container.not_after < now:
            message = (
                f"a certificate of the {name} expired on {format_instant(container.not_after)}: some software minds"
            )
            findings.add("metadata.key.expired", Level.INFO, message, "SDP-MD05; IIP-MD12", place=place)
        if container.weakly_signed:
            message = f"a certificate of the {name} is signed with MD5 or SHA-1: some software minds"
            findings.add("metadata.key.certificate_hash", Level.INFO, message, "SDP-MD05; IIP-MD12", place=place)
