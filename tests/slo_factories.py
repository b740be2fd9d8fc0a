"""The identity provider's half of single logout, for a service provider's site: it asks, and it answers.

slo = SingleLogout(site)                         its metadata offers single logout from now on
leaving = slo.read(page.forms[0].submit())       the site's LogoutRequest, accepted as an identity provider would
browser.get(slo.address(slo.answer(leaving.request), leaving.relay_state))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from webtest import TestApp, TestResponse

from federation.saml.bindings import post, redirect, soap
from federation.saml.bindings.post import PostForm
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received, Status
from federation.saml.metadata.entity import Endpoint, Entity
from federation.saml.names import Binding, NameIDFormat
from federation.saml.profiles import logout
from federation.saml.profiles.logout_rules import LogoutExpectations
from federation.saml.signature import SigningKey
from tests.factories import signing_key
from tests.sp_factories import Clock, FakeIdP

SLO = "https://idp.example.org/saml/slo"
DONE = "https://idp.example.org/saml/slo/done"
REDIRECT = Endpoint(Binding.REDIRECT, SLO, response_location=DONE)
POST = Endpoint(Binding.POST, SLO)
SOAP = Endpoint(Binding.SOAP, "https://idp.example.org/saml/slo/soap")
ALICES = NameID("_alice", NameIDFormat.TRANSIENT, "https://idp.example.org/saml/metadata")
"""A name without SPNameQualifier, whose NameQualifier is the identity provider's."""


@dataclass(frozen=True)
class Asked:
    """The site's LogoutRequest as it travelled."""

    request: LogoutRequest
    received: Received

    @property
    def relay_state(self) -> str | None:
        return self.received.relay_state


class Takes(Protocol):
    """What a site has to be: the demo site and the library are."""

    clock: Clock
    idp: FakeIdP

    def browser(self) -> TestApp: ...
    def connect(self, idp: FakeIdP) -> None: ...
    def sign_in(self, browser: TestApp, **changes: Any) -> TestResponse: ...


@dataclass
class SingleLogout:
    """An identity provider of a site, which takes part in single logout at `endpoints`."""

    site: Takes
    endpoints: tuple[Endpoint, ...] = (POST, REDIRECT, SOAP)
    idp: FakeIdP = field(init=False)

    def __post_init__(self) -> None:
        self.idp = self.site.idp
        self.idp.single_logout = self.endpoints
        self.site.connect(self.idp)

    @property
    def partner(self) -> Entity:
        assert self.idp.partner is not None
        return self.idp.partner

    @property
    def url(self) -> str:
        """Where the site's metadata says that logout messages go."""
        assert self.partner.sp is not None
        return self.partner.sp.single_logout[0].location

    @property
    def key(self) -> SigningKey:
        return signing_key(self.idp.key)

    def sign_in(self, browser: TestApp, name_id: NameID | None = ALICES, **changes: Any) -> TestResponse:
        """Sign a person in under a name; answers the page on which she lands."""
        return self.site.sign_in(browser, name_id=name_id, **changes).follow()

    # -- The site asks -------------------------------------------------------------------------------------------------

    def read(self, response: TestResponse) -> Asked:
        """Accept the request with which the site sends the browser away."""
        if response.status_int == 303:
            received = redirect.decode(urlsplit(response.location).query.encode())
        else:
            received = post.decode(response.forms["message"].submit_fields())
        accepted = logout.accept_request(received, self._expected(SLO, None))
        return Asked(accepted.request, received)

    def answer(self, request: LogoutRequest, status: Status = logout.SUCCESS, **changes: Any) -> LogoutResponse:
        """An answer to the site's request."""
        arguments: dict[str, Any] = {
            "id": new_id(),
            "issuer": self.idp.entity_id,
            "destination": self.url,
            "in_response_to": request.id,
            "status": status,
            "now": self.site.clock(),
        }
        return logout.build_response(**(arguments | changes))

    # -- The identity provider asks ------------------------------------------------------------------------------------

    def ask(self, *indexes: str, name_id: NameID = ALICES, **changes: Any) -> LogoutRequest:
        """A LogoutRequest."""
        arguments: dict[str, Any] = {
            "id": new_id(),
            "issuer": self.idp.entity_id,
            "destination": self.url,
            "now": self.site.clock(),
        }
        return logout.build_request(name_id=name_id, session_indexes=indexes, **(arguments | changes))

    def judge(self, response: TestResponse, request: LogoutRequest) -> Any:
        """Accept the site's answer, by whatever binding it came: signed, to the right place, for this request."""
        if response.content_type == "text/xml":
            received, where = soap.decode(response.body), SLO
        elif response.status_int == 303:
            received, where = redirect.decode(urlsplit(response.location).query.encode()), DONE
            assert response.location.startswith(f"{DONE}?")
        else:
            received, where = post.decode(response.forms["message"].submit_fields()), SLO
            assert response.forms["message"].action == SLO
        return logout.accept_response(received, self._expected(where, request.id)), received

    def outcome(self, response: TestResponse, request: LogoutRequest) -> str:
        """What the site says has happened."""
        return str(self.judge(response, request)[0].outcome)

    # -- On the way ----------------------------------------------------------------------------------------------------

    def address(
        self, message: LogoutRequest | LogoutResponse, relay_state: str | None = None, *, key: SigningKey | None = None
    ) -> str:
        """The path and query with which HTTP-Redirect brings a message."""
        url = logout.send(message, binding=Binding.REDIRECT, key=key or self.key, relay_state=relay_state)
        assert isinstance(url, str)
        return f"{urlsplit(self.url).path}?{urlsplit(url).query}"

    def form(
        self, message: LogoutRequest | LogoutResponse, relay_state: str | None = None, *, key: SigningKey | None = None
    ) -> dict[str, str]:
        """The fields with which HTTP-POST brings a message."""
        form = logout.send(message, binding=Binding.POST, key=key or self.key, relay_state=relay_state)
        assert isinstance(form, PostForm)
        return dict(form.fields)

    def by_soap(self, message: LogoutRequest | LogoutResponse | bytes, **more: Any) -> TestResponse:
        """Send a message, or whole envelope, from server to server: nobody's cookies come along."""
        envelope = message if isinstance(message, bytes) else logout.envelope(message, key=self.key)
        return self.site.browser().post(urlsplit(self.url).path, envelope, content_type="text/xml", **more)

    def _expected(self, destination: str, request_id: str | None) -> LogoutExpectations:
        assert self.partner.sp is not None
        return LogoutExpectations(
            destination=destination,
            partner=self.partner,
            role=self.partner.sp,
            now=self.site.clock(),
            request_id=request_id,
        )
