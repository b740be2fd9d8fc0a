"""Who is whose: from a person of an identity provider to an account of this site.

Both ways in come here. Signing in finds or makes the account (just in time); provisioning finds, makes, changes and
removes it. They meet in one link, named by the entityID and the identifier, and nowhere else: neither mail nor
userName ever links (SAML Subject-ID 2.3: those are reassigned).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from sp_app.accounts import AccountStore, LocalAccount, Profile, UsernameTaken
from sp_app.models import Link, identifier_key
from sp_app.models.once import insert_once
from sp_app.services import sessions

_LINK: Final = (
    select(Link)
    .where(Link.idp_entity_id == bindparam("idp"), Link.identifier_key == bindparam("key"))
    # The row may be another transaction's, committed since this session read it.
    .execution_options(populate_existing=True)
)


class AlreadyLinked(PolicyRefusal):
    """Provisioning wanted to create a person who is here already. Carries the `account_id` that is theirs."""

    def __init__(self, account_id: str) -> None:
        super().__init__("account.link_unique", "this person already has an account here")
        self.account_id = account_id


class Linking:
    """The persons of one identity provider, at one moment."""

    def __init__(self, session: Session, accounts: AccountStore, *, idp_entity_id: str, now: datetime) -> None:
        self._session = session
        self._accounts = accounts
        self._idp_entity_id = idp_entity_id
        self._now = now

    def find(self, identifier: str) -> Link | None:
        """The link of a person, whether it lives or only remembers a removal."""
        person = {"idp": self._idp_entity_id, "key": identifier_key(identifier)}
        return self._session.scalars(_LINK, person).one_or_none()

    def links_of(self, account_id: str) -> tuple[Link, ...]:
        """The links of this identity provider to one account."""
        found = self._session.scalars(
            select(Link).where(Link.idp_entity_id == self._idp_entity_id, Link.account_id == account_id)
        )
        return tuple(found)

    # -- signing in ---------------------------------------------------------------------------------------------------

    def sign_in(self, identifier: str, profile: Profile) -> str:
        """The id of the account that this person uses from now on; made just in time when there is none.

        An account that provisioning looks after keeps the profile that provisioning gave it; another one is brought
        up to date from the assertion. Raises `PolicyRefusal`, which no valid assertion overcomes: `account.removed`
        when provisioning has deleted the account, `account.active` when it is inactive.
        """
        link = self.find(identifier)
        if link is None:
            # The link first, then the account: of two first sign-ins at once only one may make an account.
            link = self._claim(identifier)
            if link is not None:
                link.account_id = self._create_just_in_time(profile).id
                link.last_sign_in_at = self._now
                return link.account_id
            link = self._existing(identifier)
        account = self._welcome(link)
        if link.provisioned_at is None:
            self._refresh(account, profile)
        link.last_sign_in_at = self._now
        return account.id

    def _welcome(self, link: Link) -> LocalAccount:
        account = self._account_of(link)
        if account is None:
            raise PolicyRefusal("account.removed", "the account of this person was removed from this site")
        if link.suspended_at is not None:
            # It slept because nobody vouched for its person. Now somebody does.
            self._accounts.set_active(account.id, True)
            self._awake(account.id)
            account = replace(account, active=True)
        if not account.active:
            raise PolicyRefusal("account.active", "the account of this person is inactive at this site")
        return account

    def _create_just_in_time(self, profile: Profile) -> LocalAccount:
        try:
            return self._accounts.create(profile)
        except UsernameTaken:
            # A user name never links and is no reason to keep a person out: this account simply has none.
            return self._accounts.create(replace(profile, username=None))

    def _refresh(self, account: LocalAccount, told: Profile) -> None:
        """Take over what the assertion tells; what it does not tell stays."""
        merged = Profile(**{name: getattr(told, name) or getattr(account.profile, name) for name in Profile.__slots__})
        if merged == account.profile:
            return
        try:
            self._accounts.update(account.id, merged)
        except UsernameTaken:
            self._accounts.update(account.id, replace(merged, username=account.profile.username))

    # -- provisioning -------------------------------------------------------------------------------------------------

    def provision(self, identifier: str | None, profile: Profile, *, active: bool) -> LocalAccount:
        """Create the account of a person; whoever signed in before being provisioned keeps the account they have.

        A person who was removed comes back with a new account. Without an identifier (externalId is optional in SCIM)
        the account is nobody's until `relink`. Raises `AlreadyLinked`, `UsernameTaken`; nothing is changed then.
        """
        if identifier is None:
            return self._accounts.create(profile, active=active)
        link = self.find(identifier)
        if link is None:
            link = self._claim(identifier)
            if link is not None:
                return self._create_claimed(link, profile, active=active)
            link = self._existing(identifier)
        account = self._account_of(link)
        if account is None:
            account = self._accounts.create(profile, active=active)
            link.account_id, link.removed_at, link.provisioned_at = account.id, None, self._now
            return account
        if link.provisioned_at is not None:
            raise AlreadyLinked(account.id)
        return self.update(account.id, profile, active=active)

    def _create_claimed(self, link: Link, profile: Profile, *, active: bool) -> LocalAccount:
        try:
            account = self._accounts.create(profile, active=active)
        except UsernameTaken:
            self._session.delete(link)
            self._session.flush()
            raise
        link.account_id, link.provisioned_at = account.id, self._now
        return account

    def update(self, account_id: str, profile: Profile, *, active: bool) -> LocalAccount:
        """Replace the profile and say whether the account may be used; an account made inactive loses its sessions.

        Raises `NoSuchAccount`, `UsernameTaken`.
        """
        account = self._accounts.update(account_id, profile)
        if account.active != active:
            self._accounts.set_active(account_id, active)
        if not active:
            self._end_sessions(account_id)
        for link in self.links_of(account_id):
            link.provisioned_at = link.provisioned_at or self._now
        self._awake(account_id)
        return LocalAccount(id=account.id, active=active, profile=account.profile)

    def relink(self, account_id: str, identifier: str | None) -> None:
        """Follow a change of externalId. Raises `AlreadyLinked` when the new identifier is somebody else's."""
        holder = self.find(identifier) if identifier is not None else None
        if holder is not None and holder.account_id not in (None, account_id):
            raise AlreadyLinked(str(holder.account_id))
        for link in self.links_of(account_id):
            if link is not holder:
                self._session.delete(link)
        self._session.flush()  # the old row's key must be free before a new row may take it
        if identifier is not None:
            link = holder or self._claim(identifier) or self._existing(identifier)
            if link.account_id not in (None, account_id):
                raise AlreadyLinked(str(link.account_id))
            link.identifier = identifier
            link.account_id, link.removed_at, link.provisioned_at = account_id, None, self._now

    def remove(self, account_id: str) -> None:
        """Delete an account, end its sessions, and remember who was removed, so that no assertion brings it back."""
        self._end_sessions(account_id)
        self._accounts.delete(account_id)
        for link in self.links_of(account_id):
            link.account_id, link.removed_at = None, self._now

    def _awake(self, account_id: str) -> None:
        """Whether the account works has been said anew: nothing is left of a suspension by the end of a connection."""
        for link in self._session.scalars(
            select(Link).where(Link.account_id == account_id, Link.suspended_at.is_not(None))
        ):
            link.suspended_at = None

    def _end_sessions(self, account_id: str) -> None:
        sessions.end_all_of(self._session, account_id, self._now)
        self._accounts.end_sessions(account_id)

    def _account_of(self, link: Link) -> LocalAccount | None:
        return self._accounts.get(link.account_id) if link.account_id is not None else None

    def _claim(self, identifier: str) -> Link | None:
        """A new link without an account, or None when a concurrent transaction has made it meanwhile."""
        claimed = insert_once(
            self._session,
            Link,
            idp_entity_id=self._idp_entity_id,
            identifier=identifier,
            identifier_key=identifier_key(identifier),
            created_at=self._now,
        )
        return self._existing(identifier) if claimed else None

    def _existing(self, identifier: str) -> Link:
        link = self.find(identifier)
        assert link is not None, "a link that was just inserted, or was in the way of inserting it, can be read"
        return link
