"""An IdP says only what the session reached, in the asker's words; an SP accepts only what it asked for."""

import pytest

from federation.errors import ConfigurationError
from federation.saml.messages import RequestedAuthnContext
from federation.saml.names import AuthnContextClass
from federation.saml.profiles.authn_context import (
    DEFAULT,
    MULTI_FACTOR,
    PASSWORD,
    Level,
    Table,
    answer,
    needed,
    satisfies,
)

PPT = AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT
SFA = AuthnContextClass.REFEDS_SFA
MFA = AuthnContextClass.REFEDS_MFA
MICROSOFT_MFA = AuthnContextClass.MICROSOFT_MFA
KERBEROS = AuthnContextClass.KERBEROS
TIME_SYNC_TOKEN = AuthnContextClass.TIME_SYNC_TOKEN
AT_PASSWORD = DEFAULT.position(PASSWORD)
AT_MFA = DEFAULT.position(MULTI_FACTOR)


def asking(comparison: str, *class_refs: str) -> RequestedAuthnContext:
    return RequestedAuthnContext(class_refs=class_refs, comparison=comparison)


@pytest.mark.parametrize(
    ("requested", "reached", "stated"),
    [
        (None, AT_PASSWORD, PPT),
        (None, AT_MFA, MFA),
        (asking("exact", PPT), AT_PASSWORD, PPT),
        (asking("exact", MFA, PPT), AT_PASSWORD, PPT),
        (asking("exact", MFA), AT_PASSWORD, None),
        (asking("exact", "urn:example:unknown"), AT_MFA, None),
        # Over-achieved: the class that was asked for comes back, not the one that was reached.
        (asking("exact", PPT), AT_MFA, PPT),
        (asking("exact", MICROSOFT_MFA), AT_MFA, MICROSOFT_MFA),
        (asking("minimum", SFA), AT_MFA, SFA),
        (asking("minimum", SFA), AT_PASSWORD, None),
        (asking("better", PPT), AT_PASSWORD, None),
        (asking("better", PPT), AT_MFA, MFA),
        (asking("better", MFA), AT_MFA, None),
        # At most, and as strong as that allows: neither "exactly" nor "whatever was reached".
        (asking("maximum", SFA), AT_MFA, SFA),
        (asking("maximum", SFA), AT_PASSWORD, PPT),
        (asking("maximum", MFA), AT_PASSWORD, PPT),
        (asking("maximum", PPT, MFA), AT_MFA, MFA),
        (asking("maximum", AuthnContextClass.SMARTCARD_PKI), AT_MFA, MFA),
        (asking("maximum", AuthnContextClass.UNSPECIFIED), AT_MFA, AuthnContextClass.UNSPECIFIED),
        # Several: any of them will do, and the first that is true is the one the asker likes best.
        (asking("exact", "urn:example:unknown", MFA, PPT), AT_MFA, MFA),
        (asking("minimum", MFA, PPT), AT_PASSWORD, PPT),
        (asking("better", MFA, PPT), AT_MFA, MFA),
        (asking("minimum", "urn:example:unknown"), AT_MFA, None),
        # How somebody signed in is never said untruly, however strong the session is; it is compared all the same.
        (asking("exact", KERBEROS), AT_MFA, None),
        (asking("exact", TIME_SYNC_TOKEN), AT_MFA, None),
        (asking("minimum", KERBEROS), AT_PASSWORD, PPT),
        (asking("minimum", TIME_SYNC_TOKEN), AT_MFA, MFA),
        (asking("better", KERBEROS), AT_MFA, MFA),
        (asking("better", TIME_SYNC_TOKEN), AT_MFA, None),
        (asking("maximum", KERBEROS), AT_MFA, PPT),
        # Declarations are not supported; beside classes they do no harm.
        (RequestedAuthnContext((), declaration_refs=("urn:example:declaration",)), AT_MFA, None),
        (RequestedAuthnContext((PPT,), declaration_refs=("urn:example:declaration",)), AT_MFA, PPT),
    ],
)
def test_what_may_be_stated(requested: RequestedAuthnContext | None, reached: int, stated: str | None) -> None:
    assert answer(requested, reached=reached) == stated


def test_the_weakest_sufficient_level_is_what_a_session_steps_up_to() -> None:
    assert needed(asking("exact", MFA)) == AT_MFA
    assert needed(asking("exact", MFA, PPT)) == AT_PASSWORD
    assert needed(asking("better", MFA)) is None
    assert needed(asking("exact", "urn:example:unknown")) is None


@pytest.mark.parametrize(
    ("requested", "returned", "met"),
    [
        (None, None, True),
        (asking("exact", MFA), MFA, True),
        (asking("exact", MFA), MICROSOFT_MFA, False),
        (asking("exact", MFA), None, False),
        (asking("exact", "urn:example:own"), "urn:example:own", True),
        (asking("minimum", PPT), MFA, True),
        (asking("minimum", MFA), PPT, False),
        (asking("minimum", "urn:example:own"), "urn:example:own", True),
        (asking("minimum", "urn:example:own"), MFA, False),
        (asking("better", PPT), PPT, False),
        (asking("better", PPT), MFA, True),
        (asking("better", "urn:example:own"), "urn:example:own", False),
        (asking("maximum", PPT), PPT, True),
        (asking("maximum", PPT), MFA, False),
    ],
)
def test_what_an_sp_accepts(requested: RequestedAuthnContext | None, returned: str | None, met: bool) -> None:
    assert satisfies(requested, returned) is met


def test_an_administrator_adds_a_class_to_a_level_and_it_means_that_strength() -> None:
    table = DEFAULT.extended([(MULTI_FACTOR, "urn:example:badge-and-pin")])
    assert answer(asking("exact", "urn:example:badge-and-pin"), reached=AT_MFA, table=table)
    assert satisfies(asking("minimum", SFA), "urn:example:badge-and-pin", table=table)


def test_every_class_of_oasis_refeds_microsoft_and_nist_has_its_place() -> None:
    classes = [value for name, value in vars(AuthnContextClass).items() if name.isupper()]
    assert len(classes) == 40
    assert all(DEFAULT.strength(uri) is not None for uri in classes)


def test_a_class_in_two_levels_or_a_level_that_is_not_there_is_a_mistake_of_configuration() -> None:
    with pytest.raises(ConfigurationError):
        Table((Level("low", ("urn:a",)), Level("high", ("urn:a",))))
    with pytest.raises(ConfigurationError):
        DEFAULT.extended([("imaginary", "urn:a")])
