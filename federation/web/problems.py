"""Problem pages: one plain sentence, what to do next, a reference number; everything else is for the log.

    a partner's fault (ProtocolError)             400, a refused signature 403
    a decision (PolicyRefusal, HTTPForbidden)     403
    no such page, wrong method, too large         404, 405, 413
    our own mistake (anything else)               500, logged with its traceback, and never blamed on a partner

A redirect that somebody raised is passed on as it is.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken, PredicateMismatch, URLDecodeError
from pyramid.httpexceptions import HTTPException, HTTPMethodNotAllowed, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from federation.errors import ConfigurationError, FederationError, Malformed, PolicyRefusal, ProtocolError
from federation.web import logs, wording
from federation.web.pages import page
from federation.web.scope import RouteRules, rules_for, scope_of
from federation.web.transactions import instead
from federation.web.wording import Problem

__all__ = ["Problem", "allowed_methods", "describe", "problem_view", "report", "respond"]

log = logs.get_logger(__name__)

TEMPLATE: Final = "federation.web:templates/problem.jinja2"


def problem_view(error: Exception, request: Request) -> Response:
    """The exception view of our routes, and of everything on a site that is ours."""
    if isinstance(error, HTTPException) and error.status_int < 400:
        return error  # a redirect that somebody raised
    problem = describe(error, request)
    report(error, problem, request)
    return respond(request, problem)


def describe(error: Exception, request: Request) -> Problem:
    """What to tell a person about an exception."""
    match error:
        case BadCSRFOrigin():
            return wording.FOREIGN_FORM
        case BadCSRFToken():
            return wording.STALE_FORM
        case PolicyRefusal():
            return wording.DECIDED
        case Malformed(rule=rule):
            return wording.BAD_REQUEST if rule.startswith("http.") else wording.UNREADABLE
        case ProtocolError(rule=rule):
            return wording.UNTRUSTED if rule.startswith("signature") else wording.REFUSED
        case URLDecodeError():
            return wording.BAD_REQUEST
        case PredicateMismatch() | HTTPMethodNotAllowed():
            return _mismatch(error, request)
        case HTTPException(status_int=status) if status in wording.BY_STATUS:
            return wording.BY_STATUS[status]
        case HTTPException(status_int=status) if status < 500:
            return replace(wording.BAD_REQUEST, status=status, title=error.title)
        case _:
            return wording.BROKEN


def respond(request: Request, problem: Problem) -> Response:
    """Tell a problem the way its route speaks: a page, `application/problem+json` or a SCIM error."""
    kind = (rules_for(request) or RouteRules()).problems
    if kind == "html" and not request.accept.acceptable_offers(["text/html"]):
        kind = "json"
    if kind == "html":
        response = _page(request, problem)
    else:
        response = _scim(problem) if kind == "scim" else _json(request, problem)
    if problem.allow:
        response.headers["Allow"] = ", ".join(problem.allow)
    return response


def _page(request: Request, problem: Problem) -> Response:
    try:
        return page(request, TEMPLATE, {"problem": problem}, status=problem.status)
    except Exception:  # a broken template must not hide the first problem
        log.exception("problem_page_failed", reference=request.federation.reference)
        text = f"{problem.title}. {problem.sentence} Reference: {request.federation.reference}\n"
        return Response(text, status=problem.status, content_type="text/plain", charset="utf-8")


def _json(request: Request, problem: Problem) -> Response:
    body = {
        "title": problem.title,
        "status": problem.status,
        "detail": problem.sentence,
        "reference": request.federation.reference,
    }
    return _body(problem.status, body, "application/problem+json")


def _scim(problem: Problem) -> Response:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(problem.status),
        "detail": f"{problem.title}: {problem.sentence}",
    }
    return _body(problem.status, body, "application/scim+json")


def _body(status: int, value: dict[str, Any], media_type: str) -> Response:
    return Response(json.dumps(value).encode(), status=status, content_type=media_type, charset=None)


def _mismatch(error: HTTPException, request: Request) -> Problem:
    """The route matched and no view did: almost always a method that the route does not have."""
    methods = allowed_methods(request)
    if isinstance(error, PredicateMismatch) and (not methods or request.method in methods):
        return wording.NOT_FOUND
    return replace(wording.WRONG_METHOD, allow=methods)


def allowed_methods(request: Request) -> tuple[str, ...]:
    """The methods for which the matched route has a view, sorted."""
    route = getattr(request, "matched_route", None)
    found: set[str] = set()
    for entry in request.registry.introspector.get_category("views") or ():
        view = entry["introspectable"]
        if route is not None and view["route_name"] == route.name and view.get("request_methods"):
            methods = view["request_methods"]
            found.update((methods,) if isinstance(methods, str) else methods)
    if "GET" in found and not (rules_for(request) or RouteRules()).acts:
        found.add("HEAD")
    return tuple(sorted(found))


def report(error: Exception, problem: Problem, request: Request) -> None:
    """Log a problem and have a refusal recorded: what an app's own exception view calls before it answers."""
    facts = {"reference": request.federation.reference, "status": problem.status, "method": request.method}
    route = getattr(request, "matched_route", None)
    facts["route"] = route.name if route is not None else None
    if problem is wording.BROKEN:
        log.error("our_mistake", exc_info=error, **facts)
    elif isinstance(error, FederationError):
        log.warning("refused", rule=error.rule, explanation=error.message, **facts)
        _record(error, request)
    elif not isinstance(error, HTTPNotFound):
        log.info("problem", kind=type(error).__name__, **facts)


def _record(error: FederationError, request: Request) -> None:
    recorder = scope_of(request.registry).recorder
    if recorder is None or isinstance(error, ConfigurationError):
        return
    try:
        with instead(request):
            recorder(request, error)
    except Exception:  # the person still gets the page, and the administrator both log lines
        log.exception("audit_failed", reference=request.federation.reference)
