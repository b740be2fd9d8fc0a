"""The console's page about our own keys: where each stands, who lags, what comes next."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from federation.console.frame import Console
from federation.console.metadata import instant
from federation.errors import InvalidInput


class KeyPages:
    """The page of one app's console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def every(self, request: Request) -> Response:
        """Every key, every warning, and a text for each partner that lags."""
        desk = self.console.keys(request)
        found = desk.status()
        lagging = [(row, [(each, desk.text_to(each, row.record)) for each in row.laggards]) for row in found.rows]
        values = {"found": found, "lagging": [each for each in lagging if each[1]]}
        return self.console.show(request, "keys", values)

    def change(self, request: Request) -> Response:
        """One step of one key, or an administrator's word for a partner."""
        desk = self.console.keys(request)
        name = str(request.POST.get("key", ""))
        match request.POST.get("action"):
            case "prepare":
                if name not in ("signing", "encryption"):
                    raise InvalidInput("key", "is for signing or for encryption")
                desk.prepare(name)
                done = "key-prepared"
            case "publish":
                desk.publish(name)
                done = "key-published"
            case "promote":
                desk.promote(name)
                done = "key-promoted"
            case "plan":
                desk.plan(name, on=instant(str(request.POST.get("on", "")), "date"), share=None)
                done = "key-planned"
            case "retire":
                desk.retire(name)
                done = "key-retired"
            case "confirm":
                desk.confirm(str(request.POST.get("partner", "")), self.console.occasion(request).actor)
                done = "key-confirmed"
            case _:
                raise InvalidInput("action", "is not one that this page has")
        return self.console.back(request, done, "keys")


def add_views(config: Configurator, console: Console) -> None:
    """The page, at the app's route."""
    pages = KeyPages(console)
    for method, view in (("GET", pages.every), ("POST", pages.change)):
        config.add_view(view, route_name=f"{console.routes}.keys", request_method=method, **console.keys_options)
