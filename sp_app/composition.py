"""`request.sp`: the one place where a request, the registry and the services meet.

request.sp.identity      who is signed in through the federation: account and session, or None
request.sp.session       the SQLAlchemy session for the federation's tables, joined to `request.tm`
request.sp.accounts      the account store, the host's or ours
request.sp.administrator the name of whoever asks, if they may administer the federation here, or None
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.saml.bindings.parameters import RESPONSE
from federation.saml.profiles import outline
from federation.storage.session import for_transaction_manager
from federation.web import cookies, csrf
from federation.web.saml import form_action_sources
from sp_app import administration, demand, keeping
from sp_app.accounts import AccountStore, LocalAccount
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import FederatedSession
from sp_app.provider import Provider, provider_of
from sp_app.services import audit, explain, sessions, switch
from sp_app.services.discovery import Discovery
from sp_app.services.linking import Linking
from sp_app.services.login import Login
from sp_app.services.logout import Logout
from sp_app.services.sign_out import SigningOut
from sp_app.targets import is_marked, is_safe

AccountStoreFactory = Callable[[Request], AccountStore]
SessionFactory = Callable[[Request], Session]

_ACCOUNTS: Final = "sp_app.accounts"
_SESSION: Final = "sp_app.session"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in through the federation, for as long as the session lives and the account is active."""

    account: LocalAccount
    session: FederatedSession


class Composition:
    """The services of one request, each made when it is first asked for."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @cached_property
    def provider(self) -> Provider:
        """Ourselves as a service provider."""
        return provider_of(self._request.registry)

    @cached_property
    def session(self) -> Session:
        """The database session for the federation's tables; commits and aborts with `request.tm`."""
        session: Session = self._request.registry[_SESSION](self._request)
        return session

    @cached_property
    def accounts(self) -> AccountStore:
        """The accounts of this site."""
        store: AccountStore = self._request.registry[_ACCOUNTS](self._request)
        return store

    @property
    def browser(self) -> str | None:
        """The value of the cookie that binds what began here to this browser, if it has one."""
        value: str | None = self._request.federation.cookies.get(self._request, cookies.BINDING)
        return value

    @cached_property
    def identity(self) -> Identity | None:
        """Who is signed in: looked up once per request, so that whoever was deactivated is out at the next one."""
        handle = self._request.federation.cookies.get(self._request, cookies.SESSION)
        session = sessions.living(self.session, handle, self._request.federation.now) if handle else None
        account = self.accounts.get(session.account_id) if session is not None else None
        if session is None or account is None or not account.active:
            return None
        return Identity(account=account, session=session)

    def login_path(self, target: str | None = None) -> str:
        """Where a sign-in begins that ends at `target`, a path of this site; an odd one counts as none."""
        wanted = {"target": target} if target is not None and is_safe(target) else None
        path: str = self._request.route_path("sp.login", _query=wanted)
        return path

    def passive_login_path(self) -> str | None:
        """Where a page sends the browser to find out whether somebody is signed in at the identity provider already.

        Nobody is asked anything. The browser comes back to the page either way; None where that is no use: somebody is
        signed in here, it was tried just now, or what came is no page that can be asked for again.
        """
        request = self._request
        page = request.path_qs
        tried = is_marked(page) or not is_safe(page) or request.method not in ("GET", "HEAD")
        if tried or self.identity is not None or not self.enabled:
            return None
        path: str = request.route_path("sp.login", _query={"target": page, "isPassive": "true"})
        return path

    def keep_form(self) -> str | None:
        """Keep the form that came in this request; answers where a sign-in begins that ends by sending it again.

        None where it cannot be kept: a long one, files, or what no page of this site has sent.
        """
        return keeping.keep(self._request)

    def require(self, *class_refs: str) -> Identity:
        """Who is signed in, by one of these authentication contexts; otherwise the browser goes and does that first.

        Raises `HTTPSeeOther`, or `HTTPForbidden` for a form.
        """
        demand.require(self._request, class_refs)
        assert self.identity is not None
        return self.identity

    def logout_form(self, label: str = "Sign out", *, button_class: str = "") -> Markup:
        """A form with one button that signs this browser out, here and at its identity provider; for any page.

        On pages of ours the content security policy lets its journey go there.
        """
        way = self.signing_out().way_to_ask(self.identity.session) if self.identity is not None else None
        if way is not None:
            self._request.federation.allow_form_target(*form_action_sources(way[1].location))
        return Markup(
            '<form method="post" action="{}"><input type="hidden" name="{}" value="{}"><button{}>{}</button></form>'
        ).format(
            self._request.route_path("sp.logout"),
            csrf.FIELD,
            csrf.token(self._request),
            Markup(' class="{}"').format(button_class) if button_class else "",
            label,
        )

    @cached_property
    def administrator(self) -> str | None:
        """The name of whoever asks, if they may administer the federation here."""
        return administration.administrator(self._request)

    @property
    def enabled(self) -> bool:
        """Whether somebody has switched the federation on."""
        return switch.is_on(self.session)

    def login(self) -> Login:
        """The use case of signing in."""
        return Login(
            session=self.session,
            accounts=self.accounts,
            partners=self.provider.partners,
            ourselves=self.provider.ourselves,
            limits=self.provider.limits,
            channel=self.provider.back_channel,
            now=self._request.federation.now,
        )

    def signing_out(self) -> SigningOut:
        """The use case of signing out, begun by the person."""
        return SigningOut(**self._logout())

    def logout(self) -> Logout:
        """The use case of ending what the identity provider names."""
        return Logout(**self._logout())

    def _logout(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "partners": self.provider.partners,
            "ourselves": self.provider.ourselves,
            "now": self._request.federation.now,
            "skew": self.provider.limits.skew,
        }

    def discovery(self) -> Discovery:
        """The use case of finding out which identity provider a person belongs to."""
        provider = self.provider
        return Discovery(
            self.session,
            entity_id=provider.entity_id,
            service=provider.settings.discovery_service or provider.discovery_url,
            return_url=provider.discovered_url,
            window=provider.limits.window,
            now=self._request.federation.now,
        )

    def linking(self, idp_entity_id: str) -> Linking:
        """The persons of one identity provider."""
        return Linking(self.session, self.accounts, idp_entity_id=idp_entity_id, now=self._request.federation.now)

    def audit(self, **entry: Any) -> None:
        """Add an entry to the audit trail, under this request's reference number."""
        exchange = self._request.federation
        audit.record(self.session, reference=exchange.reference, at=exchange.now, messages=self.messages(), **entry)

    def messages(self) -> list[dict[str, Any]]:
        """The outlines of the messages that this request brought, and of the request of ours that one answers."""
        received = self._request.federation.received
        asked = [
            explain.asked(self.session, each.relay_state, self.provider.ourselves)
            for each in received
            if each.parameter == RESPONSE
        ]
        return [each for each in asked if each is not None] + [outline.of(each) for each in received]


def includeme(config: Configurator) -> None:
    """`request.sp`, and the directives; a host's own calls of them win over these defaults."""
    config.add_request_method(Composition, "sp", reify=True)
    config.add_directive("set_account_store", set_account_store)
    config.add_directive("set_federation_session", set_federation_session)
    config.set_account_store(own_accounts)
    config.set_federation_session(own_session)
    config.set_refusal_recorder(record_refusal)


def own_session(request: Request) -> Session:
    """A session on `sp.database_url`: what is used unless the host names its own."""
    return for_transaction_manager(provider_of(request.registry).sessions, request.tm)


def own_accounts(request: Request) -> AccountStore:
    """The accounts in `sp_account`: what is used unless the host names its own."""
    return SqlAccountStore(request.sp.session, now=request.federation.now)


def record_refusal(request: Request, error: FederationError) -> None:
    """Write the audit entry of a refusal; federation.web has a transaction ready for it."""
    exchange, sp = request.federation, request.sp
    audit.record_refusal(sp.session, error, reference=exchange.reference, at=exchange.now, messages=sp.messages())


def set_account_store(config: Configurator, factory: AccountStoreFactory | str) -> None:
    """Directive: who keeps this site's accounts. `factory(request)` answers an `AccountStore`; or its dotted name."""
    resolved = config.maybe_dotted(factory)

    def register() -> None:
        config.registry[_ACCOUNTS] = resolved

    config.action(_ACCOUNTS, register)


def set_federation_session(config: Configurator, factory: SessionFactory | str) -> None:
    """Directive: where the federation's tables are. `factory(request)` answers a session joined to `request.tm`."""
    resolved = config.maybe_dotted(factory)

    def register() -> None:
        config.registry[_SESSION] = resolved

    config.action(_SESSION, register)
