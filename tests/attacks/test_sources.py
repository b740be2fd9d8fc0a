"""Attacks on sources: whatever a publisher, or somebody in between, answers, it is refused whole and nothing changes.

Each attack is served by a real server to a real refresh. What is usable afterwards is what was usable before; the
report and the audit trail say by which rule it was refused, and where in the document.
"""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from federation.http import client as outgoing
from federation.registry import fetching, sources
from federation.registry.refreshing import Report
from federation.saml import xml
from federation.saml.metadata.aggregate import MAX_AGGREGATE
from federation.saml.metadata.reading import MAX_DOCUMENT
from tests.attacks.catalogue_sources import OTHER_ID, document, idp
from tests.metadata_factories import IDP_ID, NOW, entity_xml, group_xml, idp_role_xml, key_xml, signed, sso_xml
from tests.registry_factories import FEDERATION, OURS, Registry, Server, query_path, refresh, serving

GOOD = document(idp(), idp(OTHER_ID))
NEXT = document(idp(), idp(OTHER_ID), idp("https://third.example.org/idp"), days=11)
UNTIL = 'validUntil="2026-03-12T12:00:00Z"'
RAW = b"HTTP/1.1 200 OK\r\nContent-Type: application/samlmetadata+xml\r\n"


@dataclass
class Scene:
    """A federation's source that has taken in GOOD from a server."""

    registry: Registry
    server: Server
    source: str

    def refresh(self) -> Report:
        return refresh(self.registry.refresher, self.source)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    registry = Registry.make(tmp_path, NOW)
    with serving() as server:
        found = Scene(registry, server, registry.add("url", server.put("/all.xml", GOOD)))
        assert found.refresh().ok
        yield found
    registry.sessions.kw["bind"].dispose()


def refused(scene: Scene, rule: str, *said: str) -> None:
    """The refresh fails by a rule and says so; the last good copy stays, and the source is late."""
    before = scene.registry.entities()
    assert set(before) == {IDP_ID, OTHER_ID}
    known = scene.registry.source(scene.source)
    report = scene.refresh()
    assert not report.ok, report.sentence
    for text in said:
        assert text in report.sentence
    last = scene.registry.refusals()[-1]
    assert f"rule: {rule}," in (last.detail or "")
    current = scene.registry.source(scene.source)
    assert scene.registry.entities() == before
    assert (current.validated, current.valid_until, current.etag) == (known.validated, known.valid_until, known.etag)
    assert sources.health(current, NOW) == "late"
    assert current.error == report.sentence


def tampered() -> bytes:
    return NEXT.replace(b"https://idp.example.org/sso", b"https://evil.example.org/ss")


def own() -> bytes:
    return document(idp(), idp(OURS), days=11)


def insecure() -> bytes:
    endpoint = entity_xml(idp_role_xml(key_xml("idp") + sso_xml("http://idp.example.org/sso")), entity_id=OTHER_ID)
    return document(idp(), endpoint, days=11)


def wrapped() -> bytes:
    """The genuine document, whole, inside the extensions of another one."""
    evil = xml.parse(group_xml(idp("https://evil.example.org"), attributes=UNTIL, extensions="<x/>").encode())
    evil[0].append(xml.parse(NEXT))
    return xml.serialise(evil)


DOCUMENTS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "signed by somebody else": (lambda: document(idp(), signer="attacker", days=11), "metadata.signature.signer", ""),
    "not signed": (lambda: group_xml(idp(), attributes=UNTIL).encode(), "metadata.signature.present", ""),
    "changed afterwards": (tampered, "signature.content", ""),
    "a member signed, and not the whole": (
        lambda: group_xml(signed(idp(), FEDERATION).decode(), attributes=UNTIL).encode(),
        "metadata.signature.present",
        "",
    ),
    "wrapped": (wrapped, "metadata.signature.present", ""),
    "expired": (lambda: document(idp(), days=-1), "metadata.valid_until.future", "2026-02-28T12:00:00Z"),
    "valid for ever": (lambda: signed(group_xml(idp()), FEDERATION), "metadata.valid_until.present", ""),
    "valid for too long": (lambda: document(idp(), days=29), "metadata.valid_until.limit", "at most 28 days"),
    "with a DTD": (lambda: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + NEXT, "xml.doctype", ""),
    "of another root": (lambda: b"<html><body>Maintenance</body></html>", "metadata.root", ""),
    "no XML": (lambda: b"Bad Gateway", "xml.well_formed", "line 1"),
    "empty": (lambda: b"", "xml.well_formed", ""),
    "of an entity that comes twice": (
        lambda: document(idp(), idp(OTHER_ID), idp(OTHER_ID), days=11),
        "metadata.entity_id.unique",
        f"entity 3, '{OTHER_ID}'",
    ),
    "about ourselves": (own, "metadata.own_entity_id", f"entity 2, '{OURS}'"),
    "with an endpoint without TLS": (insecure, "metadata.endpoints", f"entity 2, '{OTHER_ID}'"),
    "half of it": (lambda: NEXT[: len(NEXT) // 2], "xml.well_formed", "line 1, column"),
    "of nobody": (lambda: document(days=11), "metadata.group", ""),
    "of last week, with a member that is gone": (
        lambda: document(idp(), idp(OTHER_ID), idp("https://gone.example.org/idp"), days=9),
        "metadata.age",
        "It has the entity https://gone.example.org/idp.",
    ),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_bad_document_is_refused_whole_by_its_rule_and_place(scene: Scene, what: str) -> None:
    make, rule, place = DOCUMENTS[what]
    scene.server.put("/all.xml", make())
    refused(scene, rule, place)
    scene.server.put("/all.xml", NEXT)
    assert scene.refresh().ok
    assert len(scene.registry.entities()) == 3


# Addresses


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("https://10.0.0.1/all.xml", "private or special"),
        ("https://169.254.169.254/latest/meta-data", "private or special"),
        ("https://[::ffff:192.168.0.1]/all.xml", "private or special"),
        ("https://[fd00::1]/all.xml", "private or special"),
        ("http://93.184.216.34/all.xml", "plain http is used on loopback addresses alone"),
        ("file:///etc/passwd", "only https"),
        ("gopher://localhost:70/x", "only https"),
        ("https://federation:secret@localhost/all.xml", "user name or a password"),
        ("/all.xml", "more than 3 redirects"),
    ],
)
def test_a_redirect_leads_nowhere_that_the_source_could_not_be_itself(scene: Scene, target: str, said: str) -> None:
    scene.server.redirect("/all.xml", target)
    refused(scene, "http.policy", said)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names resolve to these addresses, one list after the other; answers the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(outgoing, "system_addresses", resolve)
    return asked


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "192.168.1.1"], ["fe80::1%eth0"], ["0.0.0.0"]])
def test_a_name_with_a_private_address_is_not_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolving(monkeypatch, addresses)
    refused(scene, "http.policy", "private or special")


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_the_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    scene.server.put("/all.xml", NEXT)
    assert scene.refresh().ok
    assert asked == ["localhost"], "what the name means later is of no matter"
    refused_later = scene.refresh()
    assert "private or special" in refused_later.sentence


def test_without_the_development_settings_loopback_is_no_address_either(scene: Scene) -> None:
    scene.registry.limits = replace(scene.registry.limits, allow_http_loopback=False)
    refused(scene, "http.policy", "only https")
    with pytest.raises(Exception, match="is not an https URL"):
        scene.registry.add("url", f"{scene.server.url}/all.xml")


# The way here


@contextmanager
def raw(*pieces: bytes, endless: bytes = b"", wait: bool = False) -> Iterator[str]:
    """A server that says just this: pieces, then one again and again; then it waits or hangs up. Yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        for piece in pieces:
                            connection.sendall(piece)
                        while endless and not stop.is_set():
                            connection.sendall(endless)
                        if wait:
                            stop.wait(10)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/all.xml"
        finally:
            stop.set()
            socket.create_connection(listener.getsockname()).close()  # wakes whoever accepts
            thread.join(2)


CHUNKED = RAW + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = RAW + b"Content-Length: %d\r\n\r\n" % len(NEXT)
COMPRESSED = RAW + b"Content-Encoding: gzip\r\n"
BOMB = gzip.compress(b"<x/>" + b" " * 10_000_000)
ANSWERS: dict[str, tuple[tuple[bytes, ...], str, str]] = {
    "shorter than announced": ((LENGTH, NEXT[:-100]), "http.unreachable", ""),
    "cut off between two chunks": ((CHUNKED, b"%x\r\n" % len(NEXT), NEXT, b"\r\n"), "http.unreachable", ""),
    "cut off within a chunk": ((CHUNKED, b"ffffff\r\n", NEXT), "http.unreachable", ""),
    "compressed, though nobody asked for it": (
        (COMPRESSED + b"Content-Length: %d\r\n\r\n" % len(BOMB), BOMB),
        "http.policy",
        "compressed",
    ),
    "no HTTP": ((b"220 smtp.example.org ESMTP\r\n",), "http.unreachable", ""),
    "a status and no document": ((b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",), "metadata.source", "status 500"),
    "a document with another status": (
        (b"HTTP/1.1 203 So\r\nContent-Length: %d\r\n\r\n" % len(NEXT), NEXT),
        "metadata.source",
        "status 203",
    ),
}


def moved(scene: Scene, url: str) -> None:
    """The publisher is somewhere else now."""
    scene.server.redirect("/all.xml", url)


@pytest.mark.parametrize("what", ANSWERS)
def test_what_did_not_arrive_whole_is_no_document(scene: Scene, what: str) -> None:
    pieces, rule, said = ANSWERS[what]
    with raw(*pieces) as url:
        moved(scene, url)
        refused(scene, rule, said)


def test_a_publisher_that_is_too_slow_holds_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "AGGREGATE_TIMEOUT", 0.5)
    with raw(LENGTH, NEXT[:100], wait=True) as url:
        moved(scene, url)
        refused(scene, "http.unreachable")


def test_a_document_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    registry = Registry.make(tmp_path, NOW)
    piece = b" " * 65536
    with raw(CHUNKED, endless=b"10000\r\n" + piece + b"\r\n") as url:
        source = registry.add("url", url)
        assert fetching.size_limit(registry.source(source)) == MAX_AGGREGATE == 100 * 1024 * 1024
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fetching, "MAX_AGGREGATE", MAX_DOCUMENT)
            report = refresh(registry.refresher, source)
    assert report.sentence.endswith(f"the answer has more than {MAX_DOCUMENT} bytes")
    assert registry.entities() == {}
    registry.sessions.kw["bind"].dispose()


def test_a_file_that_is_too_large_is_not_read_either(tmp_path: Path) -> None:
    registry = Registry.make(tmp_path, NOW)
    large = tmp_path / "all.xml"
    with large.open("wb") as file:
        file.truncate(MAX_AGGREGATE + 1)
    report = refresh(registry.refresher, registry.add("file", str(large)))
    assert report.sentence == f"{large}: it has more than {MAX_AGGREGATE} bytes"
    registry.sessions.kw["bind"].dispose()


# What a cache may say


def test_a_server_that_says_unchanged_for_ever_does_not_make_a_copy_valid_for_ever(scene: Scene) -> None:
    scene.server.fail("/all.xml", 304)
    assert scene.refresh().sentence == "nothing new"
    scene.registry.now += timedelta(days=11)
    assert scene.refresh().sentence == "nothing new"
    assert sources.health(scene.registry.source(scene.source), scene.registry.now) == "expired"


def test_a_tag_is_sent_back_only_if_it_is_one(scene: Scene) -> None:
    scene.server.put("/all.xml", NEXT)
    scene.server.served["/all.xml"].headers["ETag"] = '"' + "x" * 300 + '"'
    assert scene.refresh().ok
    assert scene.registry.source(scene.source).etag is None


# Metadata Query


def test_an_answer_about_somebody_else_is_no_answer_and_makes_nobody_known(scene: Scene) -> None:
    third = "https://third.example.org/idp"
    scene.registry.add("mdq", f"{scene.server.url}/mdq")
    for content in (document(idp(OTHER_ID)), document(idp(third), signer="attacker"), idp(third).encode(), b""):
        scene.server.put(query_path(third), content)
        with scene.registry.sessions.begin() as session:
            assert not scene.registry.querier.look_up(session, third)
        assert third not in scene.registry.entities()
        scene.registry.now += timedelta(minutes=11)
    scene.server.put(query_path(third), document(idp(third)))
    with scene.registry.sessions.begin() as session:
        assert scene.registry.querier.look_up(session, third)
    assert third in scene.registry.entities()
