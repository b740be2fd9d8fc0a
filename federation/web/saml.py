"""SAML messages in and out of requests (SAML Bindings 3.4, 3.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.request import Request
from pyramid.response import Response

from federation.errors import FederationError, Malformed
from federation.saml.bindings import artifact, post, soap
from federation.saml.bindings import redirect as redirect_binding
from federation.saml.bindings.artifact import Artifact
from federation.saml.bindings.parameters import ARTIFACT
from federation.saml.bindings.post import PostForm
from federation.saml.messages import Received
from federation.web.pages import cut, html_response, render
from federation.web.scope import UNTOLD
from federation.web.stencil import Hole, Stencil

_POST_FORM: Final = "federation.web:templates/post_form.jinja2"
_OPEN: Final = ("nonce", "action", "title", "recipient")
_STENCILS: Final = "federation.web.post_forms"
_XML: Final = ("text/xml", "application/soap+xml", "application/xml")
_BY_NAME: Final = re.compile("&" + "".join(f"(?:{each}|(?i:%{ord(each):x}))" for each in ARTIFACT) + r"(?:[=&]|\Z)")
"""An artifact in a query, after an ampersand, whichever of its name's letters are written as escapes."""


def receive(request: Request) -> Received:
    """The message in a request: from the raw octets of the query with GET, from the form fields with POST.

    The octets are what a redirect's signature covers, so they are never decoded and encoded again (Bindings 3.4.4.1).
    The audit trail finds the message in `request.federation.received`. Raises Malformed.
    """
    max_bytes = _limit(request)
    if _brings_artifact(request):
        raise Malformed("artifact.unexpected", "an artifact, where messages travel by HTTP-Redirect, HTTP-POST or SOAP")
    if request.method == "POST":
        received = post.decode(list(request.POST.items()), max_bytes=max_bytes)
    else:
        query = request.environ.get("QUERY_STRING", "").encode("latin-1")
        received = redirect_binding.decode(query, max_bytes=max_bytes)
    request.federation.received.append(received)
    return received


def receive_envelope(request: Request) -> Received:
    """The message in the envelope of a request by SOAP (SAML Bindings 3.2). The audit trail finds it, too.

    Raises Malformed.
    """
    received = soap.decode(request.body, max_bytes=_limit(request))
    request.federation.received.append(received)
    return received


def _limit(request: Request) -> int:
    """A message is as long as the body of a request may be, whichever way it comes."""
    scope = request.federation.scope
    return scope.body_limit(scope.rules_for(request) or UNTOLD)


def is_soap(request: Request) -> bool:
    """Whether a request's body is an envelope and no form: the media type tells them apart (SAML Bindings 3.2.3)."""
    return request.method == "POST" and request.content_type in _XML


def envelope_response(content: bytes, *, status: int = 200) -> Response:
    """An answer by SOAP. Nobody may keep it (SAML Bindings 3.2.3.1)."""
    media_type, _, charset = soap.MEDIA_TYPE.partition("; charset=")
    return Response(body=content, status=status, content_type=media_type, charset=charset)


def fault_response(request: Request, error: FederationError) -> Response:
    """Refuse an exchange by SOAP (3.2.3.3). The reference leads to the reason, which is not the sender's to know."""
    reason = f"The request was not accepted. Reference: {request.federation.reference}"
    status = 400 if isinstance(error, Malformed) else 403
    return envelope_response(soap.fault("Client", reason), status=status)


def post_form_response(request: Request, form: PostForm, title: str, *, recipient: str | None = None) -> Response:
    """A page that sends the form at once, or at a click on Continue where scripts are off (Bindings 3.5.4).

    `recipient` is the partner's name for people; without it the page names the host.

    Chromium holds a form's whole journey against `form-action`, redirects after the post included, and a partner may
    send the browser on to any other address of its own, or of a partner of its own. So a form to https may go to https
    anywhere; a form to http, which exists on loopback only, to loopback. What is left for the directive to stop is a
    downgrade and a script address. The referrer policy lets the Origin header say who posts: with same-origin it would
    be null, which some partners refuse.
    """
    exchange = request.federation
    exchange.allow_form_target(*form_action_sources(form.action))
    names, contents = zip(*form.fields, strict=True)
    values = (exchange.nonce, form.action, title, recipient or urlsplit(form.action).hostname or "", *contents)
    if exchange.scope.whole:
        html = _post_form(request, names).fill(values)
    else:
        html = render(request, _POST_FORM, _named(names, values)).encode()
    return html_response(html, headers=(("Referrer-Policy", "strict-origin"),))


def _post_form(request: Request, names: tuple[str, ...]) -> Stencil:
    """The page with a form of these fields: on each login's way, and the same but for a few values."""
    stencils: dict[tuple[str, ...], Stencil] = request.registry.setdefault(_STENCILS, {})
    key = (request.environ.get("SCRIPT_NAME"), *names)
    if key not in stencils:
        holes = [Hole() for _ in (*_OPEN, *names)]
        stencils[key] = cut(request, _POST_FORM, _named(names, holes), holes)
    return stencils[key]


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """What the template calls them."""
    given = len(_OPEN)
    return {**dict(zip(_OPEN, values[:given], strict=True)), "fields": list(zip(names, values[given:], strict=True))}


def message_response(request: Request, message: str | PostForm, title: str, *, recipient: str) -> Response:
    """Send the browser on with a message: by a redirect, or by a form that a page submits."""
    if isinstance(message, PostForm):
        return post_form_response(request, message, title, recipient=recipient)
    return redirect(message)


def receive_artifact(request: Request) -> tuple[Artifact, str | None] | None:
    """The artifact in a request, and its RelayState; None when it has none. Raises Malformed."""
    if not _brings_artifact(request):
        return None
    if request.method != "POST":
        return artifact.decode_query(request.query_string)
    return artifact.decode_form(request.POST.items())


def _brings_artifact(request: Request) -> bool:
    if request.method == "POST":
        return ARTIFACT in request.POST
    return _BY_NAME.search("&" + request.environ.get("QUERY_STRING", "")) is not None


@lru_cache(maxsize=1024)
def form_action_sources(action: str) -> tuple[str, ...]:
    """The CSP sources that a form to this address needs."""
    parts = urlsplit(action)
    if parts.scheme == "https":
        return ("https:",)
    return (f"http://{parts.netloc}", "http://localhost:*", "http://127.0.0.1:*")


def redirect(url: str) -> Response:
    """A redirect that a browser follows by GET (303). It is an answer and no exception: what was written stays."""
    return Response(status=303, location=url)
