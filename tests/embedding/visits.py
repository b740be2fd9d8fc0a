"""The library keeps sessions of its own, one visit for each federated session, and is told when one has ended."""

from __future__ import annotations

from pyramid.config import Configurator
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.events import SessionEnded, SignedIn
from tests.embedding.library import Base


class Visit(Base):
    """A reader who is in the library. It knows neither our cookie nor our tables."""

    __tablename__ = "visit"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    reader_number: Mapped[int]
    over: Mapped[bool] = mapped_column(default=False)


def arrive(event: SignedIn) -> None:
    """A visit begins, in the transaction of the sign-in."""
    event.request.dbsession.add(Visit(session_id=event.session_id, reader_number=int(event.account_id)))


def leave(event: SessionEnded) -> None:
    """The visit is over, in whatever browser it was; where it is this one, the library says goodbye to it."""
    event.request.dbsession.get(Visit, event.session_id).over = True
    if event.here:
        event.response.set_cookie("goodbye", event.account_id)


def includeme(config: Configurator) -> None:
    """Two subscribers."""
    config.add_subscriber(arrive, SignedIn)
    config.add_subscriber(leave, SessionEnded)
