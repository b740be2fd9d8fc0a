"""The outbox: a change is recorded in the transaction that makes it, so that neither exists without the other.

Recording only inserts a row. After the commit a bell may ring (`on_commit`), so that the worker looks at once; a bell
that is never heard costs one interval of the worker's sweeper and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from federation.storage.session import SessionFactory
from idp_app.models.provisioning import Change

_RECORDED: Final = "idp_app.outbox.recorded"


def record(
    session: Session, *, cause: str, now: datetime, person_id: str | None = None, connection_id: str | None = None
) -> None:
    """Add a change to the caller's transaction.

    With `person_id`: this person, at every connection. With `connection_id`: everybody, at this connection. With
    neither: everybody everywhere. `cause` is the audit kind of what happened, such as `person.suspended`.
    """
    session.execute(insert(Change).values(at=now, cause=cause, person_id=person_id, connection_id=connection_id))
    wake(session)


def wake(session: Session) -> None:
    """Have the bell ring after the commit: something other than a change waits for the worker."""
    session.info[_RECORDED] = True


def on_commit(sessions: SessionFactory, ring: Callable[[], None]) -> None:
    """Call `ring` after each commit of a session of this factory in which a change was recorded, or `wake` called.

    The transaction is over by then: whatever `ring` does, it can undo nothing. It must not raise.
    """

    def committed(session: Session) -> None:
        if session.info.pop(_RECORDED, False):
            ring()

    def rolled_back(session: Session) -> None:
        session.info.pop(_RECORDED, None)

    event.listen(sessions, "after_commit", committed)
    event.listen(sessions, "after_rollback", rolled_back)
