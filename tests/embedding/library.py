"""A second Pyramid application, which has nothing to do with us: a library.

It has its own people with integer ids, its own security policy with a ticket of its own, its own transaction manager
and database session, its own error pages, CSRF rule and default permission. What the federation needs of it is marked.
"""

from __future__ import annotations

from html import escape
from typing import Any

import transaction
import zope.sqlalchemy
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.csrf import CookieCSRFStoragePolicy
from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router
from pyramid.security import NO_PERMISSION_REQUIRED, Allowed, Denied, remember
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from sp_app.accounts.mapped import mapped_accounts


class Base(DeclarativeBase):
    """The library's own tables."""


class Reader(Base):
    """The library's own people."""

    __tablename__ = "reader"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str | None]
    full_name: Mapped[str | None]
    email: Mapped[str | None]
    may_enter: Mapped[bool] = mapped_column(default=True)
    books: Mapped[int] = mapped_column(default=0)


class LibraryPolicy:
    """Readers sign in with a ticket at the desk, as ever."""

    def __init__(self) -> None:
        self.tickets = AuthTktCookieHelper("the library's own secret", hashalg="sha512")

    def identity(self, request: Request) -> Reader | None:
        federated = request.sp.identity  # <- federation
        if federated is not None:  # <- federation
            return request.dbsession.get(Reader, int(federated.account.id))  # <- federation
        ticket = self.tickets.identify(request)
        reader = request.dbsession.get(Reader, int(ticket["userid"])) if ticket else None
        return reader if reader is not None and reader.may_enter else None

    def authenticated_userid(self, request: Request) -> str | None:
        reader = self.identity(request)
        return str(reader.number) if reader is not None else None

    def permits(self, request: Request, context: object, permission: str) -> Allowed | Denied:
        return Allowed("a reader") if self.identity(request) is not None else Denied("a stranger")

    def remember(self, request: Request, userid: str, **options: Any) -> list[tuple[str, str]]:
        return self.tickets.remember(request, userid, **options)

    def forget(self, request: Request, **options: Any) -> list[tuple[str, str]]:
        return self.tickets.forget(request, **options)


def shelf(request: Request) -> Response:
    """A page for readers."""
    reader = request.identity
    out = request.sp.logout_form("Leave")  # <- federation
    return Response(
        f"<p>{escape(str(reader.full_name))} has {reader.books} books on shelf {request.matchdict['name']}</p>{out}"
    )


def desk(request: Request) -> Response:
    """The library's own sign-in."""
    response = Response("come in")
    response.headerlist.extend(remember(request, request.params["number"]))
    return response


def borrow(request: Request) -> Response:
    """A form of the library's own, which its own CSRF rule guards."""
    request.identity.books += 1
    return Response("borrowed")


def front(request: Request) -> Response:
    """A page for everybody."""
    return Response("welcome")


def lost(request: Request) -> Response:
    """The library's own page for addresses that do not exist."""
    return Response("there is no such shelf", status=404)


def stranger(error: HTTPForbidden, request: Request) -> Response:
    """Readers who are not signed in are asked to sign in."""
    return HTTPSeeOther(request.sp.login_path(request.path_qs))  # <- federation


def manager(request: Request) -> transaction.TransactionManager:
    """The library's own transaction manager."""
    return transaction.TransactionManager(explicit=True)


def main(_global_config: dict[str, str], **settings: Any) -> Router:
    """The library as a WSGI application."""
    config = Configurator(settings={"tm.manager_hook": manager, **settings})
    config.include("pyramid_tm")
    sessions = sessionmaker(create_engine(settings["library.database"]))

    def dbsession(request: Request) -> Session:
        session = sessions()
        zope.sqlalchemy.register(session, transaction_manager=request.tm)
        return session

    config.add_request_method(dbsession, reify=True)
    config.set_security_policy(LibraryPolicy())
    config.set_csrf_storage_policy(CookieCSRFStoragePolicy())
    config.set_default_csrf_options(require_csrf=True)
    config.set_default_permission("read")
    config.add_notfound_view(lost)
    config.add_forbidden_view(stranger)
    for name, pattern, view, options in (
        ("front", "/", front, {"permission": NO_PERMISSION_REQUIRED}),
        ("desk", "/desk", desk, {"permission": NO_PERMISSION_REQUIRED}),
        ("shelf", "/shelves/{name}", shelf, {}),
        ("borrow", "/borrow", borrow, {}),
    ):
        config.add_route(name, pattern)
        config.add_view(view, route_name=name, **options)

    config.include("sp_app", route_prefix="/federation")  # <- federation
    config.set_federation_session(lambda request: request.dbsession)  # <- federation
    people = mapped_accounts(
        Reader, username="login", display_name="full_name", mail="email", active="may_enter"
    )  # <- federation
    config.set_account_store(people)  # <- federation
    config.include("tests.embedding.visits")  # <- federation
    config.include("tests.embedding.news")
    config.include("tests.embedding.office", route_prefix="/federation")
    return config.make_wsgi_app()
