"""Why a request got no answer."""

from __future__ import annotations

from federation.errors import FederationError


class OutgoingError(FederationError):
    """A request of ours to another server brought nothing that we can use."""


UNRESOLVED = "the host name cannot be resolved"


class Unreachable(OutgoingError):
    """No answer came: the name, the connection, TLS or the deadline failed. Trying again later may help.

    `sent` says whether the request may have arrived: what it asked for may have happened.
    """

    rule = "http.unreachable"

    def __init__(self, origin: str, reason: str, *, sent: bool) -> None:
        super().__init__(origin, reason, sent)
        self.origin = origin
        self.reason = reason
        self.sent = sent

    @property
    def unresolved(self) -> bool:
        """Whether we know no address for the name: others, on another network, may know one."""
        return self.reason == UNRESOLVED

    def __str__(self) -> str:
        return f"{self.origin} does not answer: {self.reason}"


class Forbidden(OutgoingError):
    """Our own policy does not let us ask this, or take what came: address, scheme, redirect or size."""

    rule = "http.policy"

    def __init__(self, origin: str, reason: str) -> None:
        super().__init__(origin, reason)
        self.origin = origin
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}"
