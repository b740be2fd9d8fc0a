"""Idempotency-Key: a bulk request that is sent again gets the answer it got before, and changes nothing."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from federation.scim.errors import ScimError, invalid_value
from federation.scim.exchange import MEDIA_TYPE, Response
from sp_app.models.once import insert_once
from sp_app.models.scim import ScimAnswer

KEPT: Final = timedelta(hours=24)
MAX_KEY: Final = 128


class Repeats:
    """The answers kept for one connection."""

    def __init__(self, session: Session, *, connection_id: str, now: datetime) -> None:
        self._session = session
        self._connection_id = connection_id
        self._now = now

    def recall(self, key: str, body: bytes) -> Response | None:
        """The answer that this request got before, or None: then it is now taken, and has to be answered.

        A concurrent request with the same key waits here until that one has been answered. Raises `ScimError` (400 for
        a key that cannot be one, 422 for one that came with another body).
        """
        if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise invalid_value(f"Idempotency-Key has 1 to {MAX_KEY} printable characters")
        digest = hashlib.sha256(body).hexdigest()
        taken = insert_once(
            self._session,
            ScimAnswer,
            connection_id=self._connection_id,
            key=key,
            digest=digest,
            answered_at=self._now,
        )
        if taken:
            return None
        kept = self._session.get_one(ScimAnswer, (self._connection_id, key), populate_existing=True)
        if kept.digest != digest:
            raise ScimError(422, "this Idempotency-Key came with another request")
        assert kept.status is not None, "a key is taken and answered in one transaction"
        return Response(kept.status, {"Content-Type": MEDIA_TYPE}, kept.body or b"")

    def keep(self, key: str, response: Response) -> None:
        """Keep the answer to a request that was taken."""
        kept = self._session.get_one(ScimAnswer, (self._connection_id, key))
        kept.status, kept.body = response.status, response.body


def purge(session: Session, *, now: datetime) -> int:
    """Delete the answers that are older than a day; answers how many."""
    result = session.execute(delete(ScimAnswer).where(ScimAnswer.answered_at < now - KEPT))
    return int(result.rowcount)  # type: ignore[attr-defined]
