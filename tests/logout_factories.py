"""A site's part of single logout in tests: what it sends to the identity provider, and how it judges what comes.

`LogoutSite` runs for real: it listens on a port and answers by SOAP, or does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from webtest import TestApp, TestResponse

from federation.saml.bindings import redirect, soap
from federation.saml.bindings.post import PostForm
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, NameID, Received, Status
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from federation.saml.profiles import logout
from federation.saml.profiles.logout_rules import LogoutExpectations
from federation.saml.profiles.sso_response import AcceptedResponse
from federation.saml.signature import SigningKey
from tests.idp_factories import FakeSP, IdPSite

SLO = "http://localhost:6543/saml/slo"
DONE = "http://localhost:6544/saml/slo/done"
ENDPOINTS = (
    Endpoint(Binding.POST, "http://localhost:6544/saml/slo"),
    Endpoint(Binding.REDIRECT, "http://localhost:6544/saml/slo", response_location=DONE),
)


def arrive_at(sp: FakeSP, browser: TestApp, idp: IdPSite, **more: Any) -> AcceptedResponse:
    """Open a site in a browser that is signed in."""
    return sp.accept(browser.get(sp.redirect_url(idp.clock(), **more)), idp.entity, idp.clock())


def name_of(arrival: AcceptedResponse) -> NameID:
    assert arrival.name_id is not None
    return arrival.name_id


def ask(sp: FakeSP, idp: IdPSite, name_id: NameID, *indexes: str | None, **more: Any) -> Any:
    """A LogoutRequest."""
    arguments: dict[str, Any] = {"id": new_id(), "issuer": sp.entity_id, "destination": SLO, "now": idp.clock()}
    given = tuple(index for index in indexes if index is not None)
    return logout.build_request(name_id=name_id, session_indexes=given, **(arguments | more))


def address(request: Any, key: SigningKey) -> str:
    url = logout.send(request, binding=Binding.REDIRECT, key=key, relay_state="deep link")
    assert isinstance(url, str)
    return "/saml/slo?" + urlsplit(url).query


def form(request: Any, key: SigningKey) -> dict[str, str]:
    form = logout.send(request, binding=Binding.POST, key=key)
    assert isinstance(form, PostForm)
    return dict(form.fields)


def by_soap(idp: IdPSite, request: Any, key: SigningKey, **more: Any) -> TestResponse:
    envelope = logout.envelope(request, key=key)
    return idp.browser().post("/saml/slo", envelope, content_type="text/xml", **more)


def judge(received: Received, sp: FakeSP, idp: IdPSite, request: Any, where: str = DONE) -> Any:
    """The site's verdict on the answer: signed, to the right place, for this request."""
    assert idp.entity.idp is not None
    return logout.accept_response(
        received,
        LogoutExpectations(
            destination=where, partner=idp.entity, role=idp.entity.idp, now=idp.clock(), request_id=request.id
        ),
    )


def answer_in(page: TestResponse) -> Received:
    assert page.status_int == 303
    return redirect.decode(urlsplit(page.location).query.encode(), max_bytes=100_000)


def is_signed_in(browser: TestApp) -> bool:
    return "Sign out" in browser.get("/").text


def request_in(page: TestResponse, sp: FakeSP, idp: IdPSite) -> LogoutRequest:
    """The request that the IdP sends the browser to a site with, as that site accepts it. Raises `Refused`."""
    assert page.status_int == 303, page
    assert page.location.startswith(f"{sp.origin}/"), page.location
    received = redirect.decode(urlsplit(page.location).query.encode(), max_bytes=100_000)
    return accept_request(received, sp, idp, page.location.partition("?")[0])


def accept_request(received: Received, sp: FakeSP, idp: IdPSite, where: str) -> LogoutRequest:
    assert idp.entity.idp is not None
    expected = LogoutExpectations(destination=where, partner=idp.entity, role=idp.entity.idp, now=idp.clock())
    return logout.accept_request(received, expected).request


def reply(sp: FakeSP, idp: IdPSite, request: LogoutRequest, status: Status = logout.SUCCESS, **more: Any) -> Any:
    """A site's answer to a request of the IdP."""
    arguments: dict[str, Any] = {
        "id": new_id(),
        "issuer": sp.entity_id,
        "destination": SLO,
        "in_response_to": request.id,
        "status": status,
        "now": idp.clock(),
    }
    return logout.build_response(**(arguments | more))


def follow(page: TestResponse, browser: TestApp, idp: IdPSite) -> TestResponse:
    """Go on while the IdP redirects to itself."""
    while page.status_int == 303 and page.location.startswith("http://localhost:6543/"):
        page = browser.get(page.location)
    return page


@contextmanager
def soap_site(
    name: str, key_name: str, idp: Callable[[], IdPSite], *, answer: Callable[[FakeSP, LogoutRequest], bytes | None]
) -> Iterator[tuple[FakeSP, list[LogoutRequest]]]:
    """A site that takes logouts by SOAP on a port of its own; `answer` makes the envelope, or None to hang.

    The list fills with the requests that it accepted.
    """
    taken: list[LogoutRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = accept_request(soap.decode(body), sp, idp(), f"{sp.origin}/saml/slo")
            taken.append(request)
            envelope = answer(sp, request)
            if envelope is None:
                hanging.wait()
                return
            self.send_response(200)
            self.send_header("Content-Type", soap.MEDIA_TYPE)
            self.end_headers()
            self.wfile.write(envelope)

        def do_OPTIONS(self) -> None:
            self.send_response(405)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Not into the test's output."""

    hanging = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://localhost:{server.server_port}"
    endpoints = (
        Endpoint(Binding.REDIRECT, f"{origin}/saml/slo"),
        Endpoint(Binding.SOAP, f"{origin}/saml/slo"),
    )
    sp = FakeSP(name, origin, key_name=key_name, options={"single_logout": endpoints})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield sp, taken
    finally:
        hanging.set()
        server.shutdown()
        server.server_close()
        thread.join()


def answering(idp: Callable[[], IdPSite], status: Status = logout.SUCCESS, **more: Any) -> Callable[..., bytes]:
    """How a site that works answers by SOAP."""

    def answer(sp: FakeSP, request: LogoutRequest) -> bytes:
        response = reply(sp, idp(), request, status, **{"destination": None, **more})
        return logout.envelope(response, key=sp.key)

    return answer
