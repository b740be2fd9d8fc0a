"""A short-lived token from a partner's token endpoint, for an assertion about ourselves (RFC 7522)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from federation.http import Client
from federation.saml.identifiers import new_id
from federation.saml.profiles import bearer_grant
from federation.saml.signature import SigningKey
from federation.scim import codec
from federation.scim.errors import ScimError
from federation.scim.results import RequestFailed, failure
from idp_app.installation import Clock

_HEADERS: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_LONGEST: Final = 4096
_SHORTEST: Final = timedelta(seconds=30)
_LONGEST_LIFE: Final = timedelta(hours=1)
_DENIED: Final = (400, 401, 403)


class Tokens:
    """The token for one partner during one run: asked for when it is needed, and again when half its life is over."""

    def __init__(self, http: Client, *, token_url: str, issuer: str, key: SigningKey, clock: Clock) -> None:
        self._http = http
        self._token_url = token_url
        self._issuer = issuer
        self._key = key
        self._clock = clock
        self._token = ""
        self._renew: datetime | None = None

    def __call__(self) -> str:
        """A token that works. Raises `RequestFailed`, and what the client raises."""
        now = self._clock()
        if self._renew is None or self._renew <= now:
            self._token, lifetime = self._ask(now)
            self._renew = now + min(max(lifetime / 2, _SHORTEST), _LONGEST_LIFE)
        return self._token

    def _ask(self, now: datetime) -> tuple[str, timedelta]:
        assertion = bearer_grant.build(
            assertion_id=new_id(), issuer=self._issuer, token_url=self._token_url, now=now, signing_key=self._key
        )
        form = urlencode({"grant_type": bearer_grant.GRANT_TYPE, "assertion": assertion}).encode()
        answer = self._http.request("POST", self._token_url, headers=_HEADERS, content=form)
        try:
            told = codec.load_object(answer.content)
        except ScimError:
            told = {}
        if answer.status in _DENIED:
            said = str(told.get("error_description") or told.get("error") or "")[:200]
            raise RequestFailed(401, f"its token endpoint did not accept our assertion. {said}")
        if answer.status != 200:
            raise failure(answer.status, answer.headers, told)
        token, seconds = told.get("access_token"), told.get("expires_in", 0)
        kind = told.get("token_type")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) > _LONGEST:
            raise RequestFailed(answer.status, "but its token endpoint answered without a token")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise RequestFailed(answer.status, "but its token is no bearer token")
        return token, timedelta(seconds=seconds if isinstance(seconds, int) and 0 <= seconds <= 86_400 else 0)
