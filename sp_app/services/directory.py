"""The accounts that this site keeps itself, as an administrator sees them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from sp_app.models import Account, Link


def accounts_with_links(session: Session) -> Sequence[tuple[Account, tuple[Link, ...]]]:
    """Every account with its links, by name."""
    links: dict[str | None, tuple[Link, ...]] = {}
    for link in session.scalars(select(Link).order_by(Link.id)):
        links[link.account_id] = (*links.get(link.account_id, ()), link)
    found = session.scalars(select(Account).order_by(Account.display_name, Account.id))
    return [(account, links.get(account.id, ())) for account in found]
