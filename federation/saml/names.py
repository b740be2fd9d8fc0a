"""The identifiers of the standards: namespaces, bindings, formats, status codes, algorithms (SAML Core 8)."""

from typing import Final

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
ASYNC_SLO: Final = "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XS: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"
MDUI: Final = "urn:oasis:names:tc:SAML:metadata:ui"
MDATTR: Final = "urn:oasis:names:tc:SAML:metadata:attribute"
MDRPI: Final = "urn:oasis:names:tc:SAML:metadata:rpi"
SHIBMD: Final = "urn:mace:shibboleth:metadata:1.0"
ALG: Final = "urn:oasis:names:tc:SAML:metadata:algsupport"
IDPDISC: Final = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
REQINIT: Final = "urn:oasis:names:tc:SAML:profiles:SSO:request-init"
REMD: Final = "http://refeds.org/metadata"


class Binding:
    """Protocol bindings (SAML Bindings 3)."""

    REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    ARTIFACT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    SOAP: Final = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
    PAOS: Final = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
    SIMPLE_SIGN: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST-SimpleSign"


class NameIDFormat:
    """Name identifier formats (SAML Core 8.3)."""

    UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
    EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
    PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    ENCRYPTED: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"


class NameFormat:
    """Attribute name formats (SAML Core 8.2)."""

    UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
    URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
    BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


class StatusCode:
    """Status codes (SAML Core 3.2.2.2): four top-level, the rest second-level."""

    SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
    REQUESTER: Final = "urn:oasis:names:tc:SAML:2.0:status:Requester"
    RESPONDER: Final = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    VERSION_MISMATCH: Final = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
    AUTHN_FAILED: Final = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
    INVALID_ATTR_NAME_OR_VALUE: Final = "urn:oasis:names:tc:SAML:2.0:status:InvalidAttrNameOrValue"
    INVALID_NAME_ID_POLICY: Final = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
    NO_AUTHN_CONTEXT: Final = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
    NO_AVAILABLE_IDP: Final = "urn:oasis:names:tc:SAML:2.0:status:NoAvailableIDP"
    NO_PASSIVE: Final = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
    NO_SUPPORTED_IDP: Final = "urn:oasis:names:tc:SAML:2.0:status:NoSupportedIDP"
    PARTIAL_LOGOUT: Final = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
    PROXY_COUNT_EXCEEDED: Final = "urn:oasis:names:tc:SAML:2.0:status:ProxyCountExceeded"
    REQUEST_DENIED: Final = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
    REQUEST_UNSUPPORTED: Final = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
    UNKNOWN_PRINCIPAL: Final = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
    UNSUPPORTED_BINDING: Final = "urn:oasis:names:tc:SAML:2.0:status:UnsupportedBinding"


class ConfirmationMethod:
    """Subject confirmation methods (SAML Profiles 3)."""

    BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    HOLDER_OF_KEY: Final = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
    SENDER_VOUCHES: Final = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"


class AuthnContextClass:
    """Authentication context classes: those of OASIS (SAML AuthnContext 3.4), then REFEDS, Microsoft and NIST."""

    UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
    PREVIOUS_SESSION: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession"
    INTERNET_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocol"
    TELEPHONY: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Telephony"
    NOMAD_TELEPHONY: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:NomadTelephony"
    PERSONAL_TELEPHONY: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PersonalTelephony"
    AUTHENTICATED_TELEPHONY: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:AuthenticatedTelephony"
    MOBILE_ONE_FACTOR_UNREGISTERED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileOneFactorUnregistered"
    MOBILE_ONE_FACTOR_CONTRACT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileOneFactorContract"
    MOBILE_TWO_FACTOR_UNREGISTERED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered"
    MOBILE_TWO_FACTOR_CONTRACT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract"
    PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"  # noqa: S105 - a name
    PASSWORD_PROTECTED_TRANSPORT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - a name
    INTERNET_PROTOCOL_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword"  # noqa: S105 - a name
    SECURE_REMOTE_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:SecureRemotePassword"  # noqa: S105 - a name
    KERBEROS: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos"
    TIME_SYNC_TOKEN: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"  # noqa: S105 - a name
    TLS_CLIENT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient"
    X509: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
    PGP: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PGP"
    SPKI: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:SPKI"
    XML_DSIG: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:XMLDSig"
    SOFTWARE_PKI: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:SoftwarePKI"
    SMARTCARD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard"
    SMARTCARD_PKI: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
    REFEDS_SFA: Final = "https://refeds.org/profile/sfa"
    REFEDS_MFA: Final = "https://refeds.org/profile/mfa"
    MICROSOFT_UNSPECIFIED: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/unspecified"
    MICROSOFT_PASSWORD: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"  # noqa: S105 - a name
    MICROSOFT_WINDOWS: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/windows"
    MICROSOFT_KERBEROS: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/kerberos"
    FEDERATION_WINDOWS: Final = "urn:federation:authentication:windows"
    MICROSOFT_TLS_CLIENT: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient"
    MICROSOFT_X509: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/x509"
    MICROSOFT_SMARTCARD: Final = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/smartcard"
    MICROSOFT_SMARTCARD_PKI: Final = (
        "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/smartcardpki"
    )
    MICROSOFT_MFA: Final = "http://schemas.microsoft.com/claims/multipleauthn"
    NIST_AAL1: Final = "http://idmanagement.gov/ns/assurance/aal/1"
    NIST_AAL2: Final = "http://idmanagement.gov/ns/assurance/aal/2"
    NIST_AAL3: Final = "http://idmanagement.gov/ns/assurance/aal/3"


class Algorithm:
    """Algorithm identifiers (XML Signature, XML Encryption, RFC 9231)."""

    EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
    ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
    SHA1: Final = "http://www.w3.org/2000/09/xmldsig#sha1"
    SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"
    SHA512: Final = "http://www.w3.org/2001/04/xmlenc#sha512"
    RSA_SHA1: Final = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    RSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
    RSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
    ECDSA_SHA1: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
    ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ECDSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
    ECDSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
    AES128_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
    AES256_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    AES128_CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    AES192_CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
    AES256_CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
    RSA_1_5: Final = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
    RSA_OAEP_MGF1P: Final = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
    RSA_OAEP: Final = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
    MGF1_SHA1: Final = "http://www.w3.org/2009/xmlenc11#mgf1sha1"
    MGF1_SHA256: Final = "http://www.w3.org/2009/xmlenc11#mgf1sha256"


SUBJECT_ID: Final = "urn:oasis:names:tc:SAML:attribute:subject-id"
PAIRWISE_ID: Final = "urn:oasis:names:tc:SAML:attribute:pairwise-id"
SUBJECT_ID_REQ: Final = "urn:oasis:names:tc:SAML:profiles:subject-id:req"
ENTITY_CATEGORY: Final = "http://macedir.org/entity-category"
ENTITY_CATEGORY_SUPPORT: Final = "http://macedir.org/entity-category-support"
ASSURANCE_CERTIFICATION: Final = "urn:oasis:names:tc:SAML:attribute:assurance-certification"
LOGOUT_BINDING: Final = "urn:saml-federation:logout-binding"
"""An entity attribute of our own service providers: by which binding they want to be told of a logout."""
METADATA_MEDIA_TYPE: Final = "application/samlmetadata+xml"
