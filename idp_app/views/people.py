"""The console's pages about people."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from idp_app.errors import InvalidInput
from idp_app.models import Person
from idp_app.security import Permission
from idp_app.services import audiences, enrolment, people, second_factor
from idp_app.services.csv_rows import COLUMNS, ImportRefused
from idp_app.services.logout import ending
from idp_app.services.people_csv import import_people
from idp_app.views.console import back, show

SHOWN_PROBLEMS = 200
"""So many bad lines of a file are listed; whoever has more fixes these first."""


@view_config(route_name="idp.people", request_method="GET", permission=Permission.MANAGE_PEOPLE)
def every(request: Request) -> Response:
    """The list, searched and in pages."""
    text = str(request.GET.get("q", ""))[:200]
    number = request.GET.get("page", "1")
    found = people.search(request.idp.session, text, int(number) if number.isascii() and number.isdigit() else 1)

    def href(page: int) -> str:
        return str(request.route_path("idp.people", _query={"q": text, "page": page}))

    return show(request, "console_people.jinja2", {"found": found, "text": text, "href": href})


@view_config(route_name="idp.person", request_method="GET", permission=Permission.MANAGE_PEOPLE)
def one(request: Request) -> Response:
    """One person: what we know, which audiences, suspended or not."""
    return _one(request, people.get(request.idp.session, request.matchdict["id"]))


def _one(request: Request, person: Person, *, enrolment_code: str | None = None) -> Response:
    session, settings = request.idp.session, request.idp.installation.settings
    values = {
        "person": person,
        "factor": second_factor.of(session, person.id),
        "audiences": audiences.every(session),
        "sessions": ending.open_sessions(session, person.id, now=request.federation.now, settings=settings),
        "by_administrator": settings.second_factor_enrolment == enrolment.BY_ADMINISTRATOR,
        "member_of": {audience.id for audience in people.audiences_of(session, person.id)},
    }
    return show(request, "console_person.jinja2", {**values, "enrolment_code": enrolment_code})


@view_config(route_name="idp.person", request_method="POST", permission=Permission.MANAGE_PEOPLE)
def change(request: Request) -> Response:
    """Suspend, reinstate, help with the second factor, or choose the audiences."""
    session, act = request.idp.session, request.idp.act
    person = people.get(session, request.matchdict["id"])
    match request.POST.get("action"):
        case "suspend":
            people.suspend(session, person, act)
            done = "suspended"
        case "reinstate":
            people.reinstate(session, person, act)
            done = "reinstated"
        case "remove-second-factor":
            second_factor.remove(session, person.id, act)
            done = "second-factor"
        case "enrolment-code":
            own = request.idp.installation.second_factor_secrets
            return _one(request, person, enrolment_code=enrolment.issue(session, person, own.recovery, act))
        case "end-session":
            ending.end_sessions(session, person.id, _own(request, person.id), act)
            done = "sessions"
        case "end-sessions":
            ending.end_all(session, person.id, act)
            done = "sessions"
        case "audiences":
            people.set_audiences(session, person, request.POST.getall("audience"), act)
            done = "audiences"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.person", id=person.id)


def _own(request: Request, person_id: str) -> list[str]:
    """The chosen session, if it is this person's."""
    idp = request.idp
    open_sessions = ending.open_sessions(
        idp.session, person_id, now=request.federation.now, settings=idp.installation.settings
    )
    return [each.id for each in open_sessions if each.id == request.POST.get("session")]


@view_config(route_name="idp.people_import", request_method="GET", permission=Permission.MANAGE_PEOPLE)
def ask_import(request: Request) -> Response:
    """The form for a CSV file."""
    return show(request, "console_import.jinja2", {"columns": COLUMNS, "problems": (), "more": 0, "imported": None})


@view_config(route_name="idp.people_import", request_method="POST", permission=Permission.MANAGE_PEOPLE)
def bring_in(request: Request) -> Response:
    """Import the file, or list every line that is wrong."""
    idp, file = request.idp, request.POST.get("file")
    values = {"columns": COLUMNS, "problems": (), "more": 0, "imported": None}
    if not hasattr(file, "file"):
        raise InvalidInput("file", "must be chosen")
    try:
        imported = import_people(idp.session, file.file.read(), idp.act, passwords=idp.installation.passwords)
    except ImportRefused as refused:
        problems = refused.problems[:SHOWN_PROBLEMS]
        values |= {"problems": problems, "more": len(refused.problems) - len(problems)}
        return show(request, "console_import.jinja2", values, status=400)
    return show(request, "console_import.jinja2", {**values, "imported": imported})
