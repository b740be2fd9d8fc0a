"""Why a sign-in does not begin, or cannot go on, though no message is to blame. Each has a page of its own."""

from __future__ import annotations

from federation.errors import PolicyRefusal


class Interrupted(PolicyRefusal):
    """A sign-in that cannot go on, though nothing is wrong with the response: the person simply starts again."""


class OtherBrowser(Interrupted):
    """The response came without the cookie of the browser that began: its cookie is gone, or it is another browser."""


class TooLate(Interrupted):
    """The remembered request has expired."""


class NotExpected(Interrupted):
    """No remembered request belongs to this response: it is long gone, or there never was one."""


class AlreadyUsed(PolicyRefusal):
    """The remembered request was answered before: Back, Reload, or a copy. `target` is where it led."""

    def __init__(self, target: str) -> None:
        super().__init__("login.used_once", "this sign-in was used already")
        self.target = target


class NoIdentityProvider(PolicyRefusal):
    """Nobody could sign this person in: no active connection, or not the one that was asked for."""


class UnknownIdentityProvider(NoIdentityProvider):
    """A link, or a discovery service, named an identity provider that this site is not connected to."""


class NoChoice(NoIdentityProvider):
    """The person came back from choosing without a choice: they cancelled, or nobody was to be asked."""


class SeveralIdentityProviders(Exception):
    """The person has to choose: `discovery` goes on from here."""
