"""The ids of the Kantara implementation profile 1.1 (IIP) and deployment profile, SAML2int (SDP), with what each asks.

Levels: M must, S should, O may, as each profile has them; where they differ by role the stricter one that concerns us.
Roles: both, IdP, SP. The words are a reminder of the subject; the profiles themselves are the text.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Id(NamedTuple):
    """One requirement: its id, level, the role it binds, and its subject."""

    id: str
    level: str
    role: str
    subject: str


def _table(text: str) -> tuple[Id, ...]:
    rows = (line.split(maxsplit=3) for line in text.strip().splitlines())
    return tuple(Id(name, level, role, subject) for name, level, role, subject in rows)


IIP: Final = _table("""
IIP-G01 M both clock skew wherever a time decides
IIP-G02 M both string values of 256 characters
IIP-G03 M both no DTD sent; DTDs refused
IIP-MD01 M both metadata query protocol
IIP-MD02 M both scheduled refresh over HTTP, redirects, single and group roots
IIP-MD03 M both root signature by a key set out of band, tied to a source
IIP-MD04 M both root validUntil absent, past or too far is refused
IIP-MD05 M both core metadata, interoperability profile and extensions understood
IIP-MD06 M both any number of partners from metadata alone
IIP-MD07 M both several signing keys, tried in turn
IIP-MD08 M both several encryption keys
IIP-MD09 M both own algorithm support published
IIP-MD10 M both a partner's algorithm list obeyed
IIP-MD11 M both a key without use counts for both
IIP-MD12 M both odd, expired and self-signed certificates hold keys
IIP-SSO01 M both browser SSO
IIP-SSO02 M both requests by Redirect and by POST
IIP-SSO03 M both responses and errors by POST
IIP-SSO04 M both response or assertion or both signed
IIP-SSO05 M both persistent and transient identifiers
IIP-SSO06 M both settings out of metadata
IIP-SSO07 M both optional content handled as core demands
IIP-EXT01 M both unknown extensions never break anything
IIP-ALG01 M both SHA-256 digests
IIP-ALG02 M both RSA-SHA256 signatures
IIP-ALG03 S both ECDSA-SHA256 signatures
IIP-ALG04 M both AES-128-GCM and AES-256-GCM
IIP-ALG05 O both CBC for old partners only
IIP-ALG06 M both RSA-OAEP in both identifiers, SHA-1 and SHA-256 digests
IIP-ALG07 S both current TLS guidance
IIP-ALG08 M both a list of banned algorithms
IIP-SP01 M SP any attribute Name and NameFormat accepted
IIP-SP02 M SP any text value; no xsi:type needed
IIP-SP03 M SP requests without NameIDPolicy, and with one without Format
IIP-SP04 M SP IdP discovery protocol
IIP-SP05 M SP several IdPs for one resource
IIP-SP06 M SP RequestedAuthnContext exact
IIP-SP07 M SP decisions on the authentication context that came back
IIP-SP08 M SP decryption with at least two keys
IIP-SP09 M SP deep links survive
IIP-SP10 M SP unknown attributes never refuse
IIP-SP11 M SP FriendlyName decides nothing
IIP-SP12 M SP any format of NameID
IIP-SP13 M SP unsigned responses refused
IIP-SP14 S SP single logout requests
IIP-SP15 M SP logout by Redirect
IIP-SP16 M SP EncryptedID in logout requests, two keys
IIP-SP17 M SP logout settings out of metadata
IIP-IDP01 M IdP any attribute Name and NameFormat emitted
IIP-IDP02 M IdP release by SP entityID
IIP-IDP03 M IdP release by entity attributes
IIP-IDP04 M IdP release by requested attributes and the index in the request
IIP-IDP05 M IdP error responses to an acceptable place
IIP-IDP06 M IdP ForceAuthn
IIP-IDP07 M IdP IsPassive
IIP-IDP08 M IdP RequestedAuthnContext exact
IIP-IDP09 M IdP assertions encrypted
IIP-IDP10 M IdP NameIDPolicy
IIP-IDP11 M IdP NameID left out of the subject
IIP-IDP12 M IdP ACS URL, index and ProtocolBinding in requests
IIP-IDP13 M IdP ECP
IIP-IDP14 M IdP HTTP Basic login for ECP
IIP-IDP15 M IdP session key of SAML-EC
IIP-IDP16 M IdP ECP settings out of metadata
IIP-IDP17 M IdP single logout and asynchronous logout
IIP-IDP18 M IdP logout by Redirect
IIP-IDP19 M IdP EncryptedID in logout requests, two keys
IIP-IDP20 M IdP logout settings out of metadata
IIP-IDP21 M IdP persistent NameIDs that differ by more than letter case
""")

SDP: Final = _table("""
SDP-G01 M both skew of three to five minutes
SDP-G02 M both no strings above 256 characters produced
SDP-G03 M both no DTD
SDP-G04 M both entityID is an absolute URI of at most 256 characters
SDP-MD01 M both behaviour follows refreshed metadata
SDP-MD02 M both metadata accepted after a signature or TLS check only
SDP-MD03 M both root validUntil needed and bounded
SDP-MD04 M both own metadata, nothing advertised that does not work
SDP-MD05 M both keys published as X.509
SDP-MD06 M both RSA of 2048 bits or more
SDP-MD07 M both EC of 256 bits or more
SDP-MD08 M both IdP lists a signing, SP an encryption certificate
SDP-MD09 M both UIInfo with name and logo, SP with privacy statement
SDP-MD10 M both logo by https or inline
SDP-MD11 M both technical contact with mail address
SDP-MD12 M IdP errorURL
SDP-ALG01 M both SHA-256, RSA or ECDSA, AES-GCM, RSA-OAEP
SDP-SP01 M SP browser SSO
SDP-SP02 M SP requests by Redirect
SDP-SP03 M SP no frames, no third-party cookies
SDP-SP04 M SP no NameIDPolicy, or AllowCreate without Format
SDP-SP05 M SP ACS URL sent, never the index
SDP-SP06 M SP ACS URL equals metadata
SDP-SP07 M SP RequestedAuthnContext only if needed, exact
SDP-SP08 M SP responses by POST
SDP-SP09 M SP ACS behind TLS
SDP-SP10 M SP assertions decrypted
SDP-SP11 M SP error statuses handled gracefully
SDP-SP12 M SP missing attributes explained
SDP-SP13 M SP NameID never required
SDP-SP14 M SP subject-id or pairwise-id identify
SDP-SP15 M SP identifier need stated in metadata
SDP-SP16 M SP no identifier clashes between IdPs
SDP-SP17 M SP scopes tied to IdPs
SDP-SP18 S SP display attributes for display
SDP-SP19 M SP no stricter rules than an attribute's definition
SDP-SP20 M SP content bound to several IdPs
SDP-SP21 S SP deep links
SDP-SP22 S SP POST bodies kept
SDP-SP23 M SP discovery
SDP-SP24 O SP single logout
SDP-SP25 M SP logout requests by Redirect
SDP-SP26 M SP logout requests accepted by Redirect
SDP-SP27 M SP no frames nor third-party cookies for logout
SDP-SP28 M SP logout requests signed
SDP-SP29 M SP NameID as received
SDP-SP30 M SP NameID not encrypted
SDP-SP31 M SP logout responses by Redirect
SDP-SP32 M SP logout responses accepted by Redirect
SDP-SP33 M SP logout responses signed
SDP-SP34 M SP local session ended first
SDP-SP35 M SP no logout for idleness
SDP-SP36 S SP one entityID per virtual host
SDP-SP37 M SP several IdP signing certificates
SDP-SP38 M SP several own decryption keys
SDP-SP39 M SP complete metadata
SDP-IDP01 M IdP browser SSO
SDP-IDP02 M IdP requests by Redirect
SDP-IDP03 M IdP SSO endpoint behind TLS
SDP-IDP04 M IdP unsigned requests accepted unless metadata promises signatures
SDP-IDP05 M IdP a signature that is there verifies
SDP-IDP06 M IdP ACS URL checked against metadata
SDP-IDP07 M IdP ForceAuthn means a fresh proof
SDP-IDP08 M IdP answers by POST
SDP-IDP09 M IdP responses signed
SDP-IDP10 M IdP one assertion, one AuthnStatement, at most one AttributeStatement
SDP-IDP11 M IdP assertion encrypted
SDP-IDP12 M IdP transient NameID
SDP-IDP13 M IdP subject-id or pairwise-id
SDP-IDP14 M IdP scopes in metadata, no expressions
SDP-IDP15 M IdP the SP's identifier signal obeyed
SDP-IDP16 O IdP else without it, or an error
SDP-IDP17 O IdP without a signal, free choice
SDP-IDP18 M IdP NameFormat uri
SDP-IDP19 S IdP plain text values
SDP-IDP20 M IdP several values as several elements
SDP-IDP21 M IdP single logout
SDP-IDP22 O IdP the person may keep the IdP session
SDP-IDP23 O IdP propagation
SDP-IDP24 M IdP propagated requests by Redirect
SDP-IDP25 M IdP logout requests accepted by Redirect
SDP-IDP26 M IdP logout requests signed
SDP-IDP27 M IdP NameID not encrypted
SDP-IDP28 M IdP logout responses by Redirect
SDP-IDP29 M IdP logout responses accepted by Redirect
SDP-IDP30 M IdP logout responses signed
SDP-IDP31 M IdP the status tells the truth
SDP-IDP32 M IdP several SP signing certificates
SDP-IDP33 M IdP complete metadata
""")

ALL: Final = {entry.id: entry for entry in (*IIP, *SDP)}

NOT_YET: Final = {
    "ECP follows": ("IIP-IDP13", "IIP-IDP14", "IIP-IDP15", "IIP-IDP16"),
    "Does not apply: this software does not terminate TLS; docs/how-to/deploy.md says what the proxy must do": (
        "IIP-ALG07",
    ),
}
"""Ids that no test carries, each with its reason."""
