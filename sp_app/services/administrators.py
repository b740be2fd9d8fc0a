"""Who administers this site: a flag of the local account, given by a command on this machine.

Nothing that arrives from outside can give it: no attribute of an assertion, no SCIM write.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError
from sp_app.models import Account, Link, identifier_key
from sp_app.models.account import username_key


def find(session: Session, selector: str) -> Account:
    """The one account that a command means: by id, user name, mail address or linked identifier.

    Raises `ConfigurationError` when there is none, or more than one.
    """
    linked = select(Link.account_id).where(Link.identifier_key == identifier_key(selector))
    found = session.scalars(
        select(Account).where(
            or_(
                Account.id == selector,
                Account.username_key == username_key(selector),
                Account.mail == selector,
                Account.id.in_(linked),
            )
        )
    ).all()
    if not found:
        raise ConfigurationError(
            f"no account here is called {selector!r}: it appears when the person signs in or is provisioned"
        )
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} accounts match {selector!r}: name the one you mean by its id")
    return found[0]


def appoint(account: Account, *, administrator: bool, now: datetime) -> None:
    """Make an account an administrator of this site, or no longer."""
    account.administrator = administrator
    account.modified_at = now
