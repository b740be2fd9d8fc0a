"""The way to one partner during one run: its client, transactions under the lease, the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from federation.scim.client import Client
from federation.scim.results import Found, Operation, Result
from federation.storage.session import unit_of_work
from idp_app.installation import Installation
from idp_app.services.provisioning import journal, outcomes
from idp_app.services.provisioning.lease import LEASE, Lease
from idp_app.services.provisioning.outcomes import Outcome, Retry
from idp_app.services.provisioning.subjects import Target


@dataclass(slots=True)
class Channel:
    """What a run works with. `answered` says that the partner has answered at least once."""

    installation: Installation
    client: Client
    lease: Lease
    random: Callable[[], float]
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    answered: bool = False
    _requests: int = 0
    _proven: datetime | None = None

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.installation.clock()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction, of somebody who holds the lease until its end. Raises `LeaseLost`."""
        with unit_of_work(self.installation.sessions) as session:
            now = self.now
            self.lease.prove(session, now)
            yield session
        self._proven = now

    def send(self, operations: Sequence[Operation]) -> Iterator[tuple[Operation, Result]]:
        """Send operations; each answer as soon as it is known. Raises `LeaseLost` before anything is sent too late."""
        self._requests += 1
        _ = self.client.capabilities  # asked for first, so that nothing comes between the lease and the request
        self._renew()
        for answer in self.client.perform(operations, key=f"{self.run}.{self._requests}"):
            self.answered = True
            yield answer
            self._renew()

    def _renew(self) -> None:
        """Prove the lease again when the last proof is old: this process may have been stopped for minutes."""
        if self._proven is None or self.now - self._proven > LEASE / 3:
            with self.transaction():
                pass

    def find(self, endpoint: str, external_id: str) -> Found | None:
        """Look a resource up. Raises `SeveralFound`."""
        found = self.client.find(endpoint, external_id)
        self.answered = True
        return found

    def delay(self, retry: Retry, attempts: int) -> timedelta:
        """How long to wait before another attempt."""
        return outcomes.delay(retry, attempts, self.random())

    def log(
        self,
        session: Session,
        target: Target,
        operation: str,
        result: Result,
        outcome: Outcome,
        *,
        person_id: str | None = None,
        group_id: str | None = None,
        attributes: tuple[str, ...] = (),
    ) -> None:
        """Write what was sent and what became of it into the provisioning log."""
        journal.write(
            session,
            now=self.now,
            run=self.run,
            connection_id=target.id,
            operation=operation,
            outcome=outcome.word,
            status=result.status,
            person_id=person_id,
            group_id=group_id,
            attributes=attributes,
            detail=outcome.error,
        )
