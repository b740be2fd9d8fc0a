"""The server engine (RFC 7644 3): a request in, a response out, over a `Store`. It knows no web framework.

Authentication, tenancy and the switch are the caller's: by the time a request is here, the store speaks for one tenant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from federation.scim import bulk, codec, discovery, patch, selection
from federation.scim.catalogue import RESOURCE_TYPES
from federation.scim.errors import ScimError, invalid_syntax, invalid_value
from federation.scim.exchange import MEDIA_TYPE, Outcome, Request, Response, allow, problem, respond
from federation.scim.filters import parse_filter
from federation.scim.limits import Limits
from federation.scim.patch import MemberAction, MemberChange
from federation.scim.rendering import Renderer, etag, names_version
from federation.scim.schema import ResourceType
from federation.scim.selection import Selection
from federation.scim.store import Query, Record, Store

_ACCEPTED: Final = ("", MEDIA_TYPE, "application/json")
_SEARCH: Final = "/.search"


class Server:
    """The SCIM server of one tenant for one request. `base_url` is absolute, without a slash at the end."""

    def __init__(self, store: Store, *, base_url: str, limits: Limits = Limits()) -> None:  # noqa: B008 (frozen)
        self._store = store
        self._base_url = base_url
        self._renderer = Renderer(base_url)
        self._limits = limits

    def handle(self, request: Request) -> Response:
        """Answer a request. Never raises for anything that a client can send."""
        try:
            self._admit(request)
            return respond(self._route(request))
        except ScimError as error:
            return problem(error)

    def _admit(self, request: Request) -> None:
        if len(request.body) > self._limits.payload:
            raise ScimError(413, f"a body may have {self._limits.payload} octets")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.body and media_type not in _ACCEPTED:
            raise ScimError(415, f"the body has to be {MEDIA_TYPE}")

    # -- routing ------------------------------------------------------------------------------------------------------

    def _route(self, request: Request) -> Outcome:
        path = request.path.rstrip("/")
        if path == "/Bulk":
            allow(request.method, "POST")
            message = codec.load_object(request.body)
            return Outcome(200, bulk.run(message, self.perform, limits=self._limits))
        if path.endswith(_SEARCH):
            allow(request.method, "POST")
            return self._search(self._kinds(path.removesuffix(_SEARCH)), _search_request(request.body))
        if path == "/Me":
            raise ScimError(501, "the token speaks for an identity provider, not for a person")
        found = discovery.answer(path, base_url=self._base_url, limits=self._limits)
        if found is not None:
            allow(request.method, "GET", "HEAD")
            if any(name == "filter" for name, _ in request.query):
                raise ScimError(403, "discovery cannot be filtered")
            return Outcome(200, found)
        return self._resources(request, path)

    def _resources(self, request: Request, path: str) -> Outcome:
        parameters = dict(request.query)
        if path.count("/") == 1:
            allow(request.method, "GET", "HEAD", "POST")
            if request.method != "POST":
                return self._search(self._kinds(path), parameters)
        data = None if request.method in ("GET", "HEAD", "DELETE") else codec.load_object(request.body)
        conditions = {name: request.headers.get(name) for name in ("if-match", "if-none-match")}
        return self.perform(request.method, path, data, conditions=conditions, shown=parameters)

    def _kinds(self, path: str) -> Sequence[ResourceType]:
        """The resource types that a path searches: one, or all of them at the root."""
        return RESOURCE_TYPES if path == "" else (_kind_at(path[1:]),)

    # -- operations ---------------------------------------------------------------------------------------------------

    def perform(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None,
        *,
        conditions: Mapping[str, str | None] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """One operation on one resource: a request of its own, or an operation of a bulk. Raises `ScimError`."""
        endpoint, _, name = path[1:].partition("/")
        kind, conditions = _kind_at(endpoint), conditions or {}
        shown = shown or {}
        chosen = selection.read(shown.get("attributes"), shown.get("excludedAttributes"), kind)
        if not name:
            allow(method, "POST")
            with self._store.atomic():
                return self._create(kind, data or {}, chosen)
        allow(method, "GET", "HEAD", "PUT", "PATCH", "DELETE")
        if method in ("GET", "HEAD"):
            record = self._existing(kind, name, chosen.edges(kind))
            if names_version(conditions.get("if-none-match"), record):
                return Outcome(304, version=etag(record))
            return self._outcome(200, kind, record, chosen)
        with self._store.atomic():
            record = self._existing(kind, name, for_update=True)
            fenced = bool(conditions.get("if-match"))
            if fenced and not names_version(conditions["if-match"], record):
                raise ScimError(412, "the resource has changed since that version")
            if method == "DELETE":
                self._store.delete(kind, record)
                return Outcome(204, location=self._renderer.location(kind, record.id), resource_id=record.id)
            changed = self._changed(kind, record, method, data or {})
            if fenced and changed.version == record.version:
                # A version that was named is used up, even by a change that changes nothing: who planned with the same
                # one before, and comes late, must not undo what was said since.
                changed = self._store.touch(kind, changed)
        if method == "PATCH" and kind.writable_edges and not shown.get("attributes"):
            # The members are the main cost of the answer, and nobody reads them (Entra asks for 204).
            location = self._renderer.location(kind, record.id)
            return Outcome(204, location=location, version=etag(changed), resource_id=record.id)
        return self._outcome(200, kind, self._loaded(kind, changed, chosen), chosen)

    def _existing(
        self, kind: ResourceType, name: str, edges: frozenset[str] = frozenset(), *, for_update: bool = False
    ) -> Record:
        record = self._store.get(kind, name, edges=edges, for_update=for_update)
        if record is None:
            raise ScimError(404, f"there is no such {kind.name}")
        return record

    def _create(self, kind: ResourceType, data: Mapping[str, Any], chosen: Selection) -> Outcome:
        document = codec.read(data, kind)
        codec.require(document, kind)
        record = self._store.create(kind, document)
        if (members := _members_of(data, kind)) and members.ids:
            record = self._store.change_members(record, [members])
        return self._outcome(201, kind, self._loaded(kind, record, chosen), chosen)

    def _changed(self, kind: ResourceType, record: Record, method: str, data: Mapping[str, Any]) -> Record:
        """The resource after a PUT or PATCH."""
        members: Sequence[MemberChange]
        if method == "PUT":
            document = codec.read(data, kind)
            codec.require(document, kind)
            put = _members_of(data, kind)
            members = () if put is None else (put,)
        else:
            wanted = patch.read(data, kind)
            document, members = patch.apply(wanted, record.document), wanted.members
        if document != record.document:
            record = self._store.replace(kind, record, document)
        return self._store.change_members(record, members) if members else record

    # -- searching ----------------------------------------------------------------------------------------------------

    def _search(self, kinds: Sequence[ResourceType], parameters: Mapping[str, Any]) -> Outcome:
        """Query one type, or several one after the other (RFC 7644 3.4.2)."""
        start = max(1, _integer(parameters, "startIndex", 1))
        count = min(max(0, _integer(parameters, "count", self._limits.default_page)), self._limits.page)
        text = parameters.get("filter") or None
        if text is not None and not isinstance(text, str):
            raise invalid_syntax("filter is not a text")
        total = 0
        resources: list[Any] = []
        for kind in kinds:
            chosen = selection.read(parameters.get("attributes"), parameters.get("excludedAttributes"), kind)
            found = None if text is None else parse_filter(text, kind, unknown_is_false=len(kinds) > 1)
            query = Query(found, max(1, start - total), count - len(resources), chosen.edges(kind))
            page = self._store.search(kind, query)
            resources += [chosen.apply(self._renderer.render(kind, record), kind) for record in page.records]
            total += page.total
        return Outcome(200, discovery.list_response(resources, total=total, start=start))

    # -- answering ----------------------------------------------------------------------------------------------------

    def _loaded(self, kind: ResourceType, record: Record, chosen: Selection) -> Record:
        """The resource with the rows that the answer shows."""
        edges = chosen.edges(kind)
        return record if edges <= record.edges.keys() else self._store.get(kind, record.id, edges=edges) or record

    def _outcome(self, status: int, kind: ResourceType, record: Record, chosen: Selection) -> Outcome:
        document = chosen.apply(self._renderer.render(kind, record), kind)
        return Outcome(status, document, self._renderer.location(kind, record.id), etag(record), record.id)


def _kind_at(endpoint: str) -> ResourceType:
    for kind in RESOURCE_TYPES:
        if kind.endpoint[1:].lower() == endpoint.lower():
            return kind
    raise ScimError(404, "there is nothing at this address")


def _search_request(body: bytes) -> Mapping[str, Any]:
    message = codec.load_object(body)
    names = ("filter", "startIndex", "count", "attributes", "excludedAttributes")
    return {name: codec.field(message, name) for name in names}


def _integer(parameters: Mapping[str, Any], name: str, default: int) -> int:
    value = parameters.get(name)
    if value in (None, ""):
        return default
    text = str(value)
    if (
        isinstance(value, bool)
        or not text.lstrip("-").isascii()
        or not text.removeprefix("-").isdigit()
        or len(text) > 10
    ):
        raise invalid_value(f"{name} is not a whole number")
    return int(text)


def _members_of(data: Mapping[str, Any], kind: ResourceType) -> MemberChange | None:
    """The members that a whole resource names; None for a type that has none."""
    for attribute in kind.writable_edges:
        return MemberChange(MemberAction.REPLACE, patch.member_ids(codec.field(data, attribute.name)))
    return None
