"""Who administers the federation at this site: the one question that every page of the console asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyramid.config import Configurator
from pyramid.request import Request

from sp_app.models import Account

Administrators = Callable[[Request], "str | None"]
"""Answers the name of whoever the request comes from if they may administer, else None. It may raise a redirect."""

_KEY: Final = "sp_app.administrators"


def administrator(request: Request) -> str | None:
    """The name of the administrator who asks, or None for anybody else."""
    check: Administrators = request.registry.get(_KEY, own_administrators)
    return check(request)


def is_ours(request: Request) -> bool:
    """Whether nobody has replaced the check: then signing in through the federation is the way to pass it."""
    return _KEY not in request.registry


def own_administrators(request: Request) -> str | None:
    """Whose account has the flag that a command on this machine gave: what is used unless the host says otherwise."""
    identity = request.sp.identity
    account = None if identity is None else request.sp.session.get(Account, identity.account.id)
    if account is None or not account.administrator:
        return None
    return identity.account.profile.display_name or account.id


def set_federation_administrators(config: Configurator, check: Administrators | str) -> None:
    """Directive: who may use the console. `check(request)` answers their name, or None; or its dotted name."""
    resolved = config.maybe_dotted(check)

    def register() -> None:
        config.registry[_KEY] = resolved

    config.action(_KEY, register)


def includeme(config: Configurator) -> None:
    """The directive. Nothing is registered by default: so it does not matter from where a host calls it."""
    config.add_directive("set_federation_administrators", set_federation_administrators)
