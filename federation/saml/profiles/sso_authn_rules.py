"""Web Browser SSO, the assertion: its rules on how the person was authenticated (SAML Core 2.7.2, 3.3.2.2.1)."""

from __future__ import annotations

from typing import Final

from federation.saml.checks import Seen, rule
from federation.saml.profiles.authn_context import satisfies
from federation.saml.profiles.sso_response_context import Statement, session_end
from federation.saml.times import format_instant


@rule("assertion.authn_statement", "SAML Profiles 4.1.4.2")
def authn_statement(statement: Statement) -> Seen:
    """It states an authentication."""
    count = len(statement.assertion.authn_statements)
    return count > 0, "at least 1 AuthnStatement", str(count)


@rule("assertion.authn_instant", "SAML Core 2.7.2")
def authn_instant(statement: Statement) -> Seen:
    """The authentication was not in the future."""
    expected, authn = statement.expected, statement.authn
    latest = expected.now + expected.skew
    received = "none" if authn is None else format_instant(authn.authn_instant)
    return authn is None or authn.authn_instant <= latest, f"not after {format_instant(latest)}", received


@rule("assertion.session", "SAML Core 2.7.2; SAML Profiles 4.1.4.3")
def session(statement: Statement) -> Seen:
    """The session that it states has not ended."""
    expected = statement.expected
    earliest = expected.now - expected.skew
    end = session_end(statement.assertion)
    received = "no end" if end is None else f"ends {format_instant(end)}"
    return end is None or earliest < end, f"a session that lasts beyond {format_instant(earliest)}", received


@rule("assertion.authn_context", "SAML Core 3.3.2.2.1, 3.4.1; IIP-SP07")
def authn_context(statement: Statement) -> Seen:
    """The person was authenticated in a way that meets what the request asked for."""
    wanted, authn = statement.expected.requested_authn_context, statement.authn
    received = None if authn is None else authn.authn_context_class_ref
    if wanted is None:
        return True, "any class", received or "none"
    ok = satisfies(wanted, received, table=statement.expected.levels)
    return ok, f"{wanted.comparison} {' or '.join(wanted.class_refs)}", received or "none"


@rule("assertion.force_authn", "SAML Core 3.4.1; SAML Profiles 4.1.4.1")
def force_authn(statement: Statement) -> Seen:
    """Where the request demanded it, the person signed in anew, after the request."""
    expected, authn = statement.expected, statement.authn
    if not expected.force_authn or expected.request_instant is None:
        return True, "any sign-in", "as expected"
    earliest = expected.request_instant - expected.skew
    received = "none" if authn is None else format_instant(authn.authn_instant)
    ok = authn is not None and authn.authn_instant >= earliest
    return ok, f"a sign-in after {format_instant(earliest)}", received


AUTHN: Final = (authn_statement, authn_instant, session, authn_context, force_authn)
