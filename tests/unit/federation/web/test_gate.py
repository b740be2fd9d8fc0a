from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid.response import Response

from federation.web.gate import MAX_FIELDS, LimitedInput
from tests.web_factories import site, view


def echo(request: Request) -> Response:
    return Response(
        json_body={
            "query": list(request.GET.items()),
            "form": list(request.POST),
            "size": len(request.body),
        }
    )


app = site(
    view("door", echo, cross_site=True),
    view("wide", echo, cross_site=True, body_limit=50_000),
    view("import", echo, cross_site=True, files=True),
)
FORM = "application/x-www-form-urlencoded"


def send(environ: dict[str, Any], body: bytes = b"", path: str = "/door") -> int:
    """Send what a test client would tidy up first; answer the status."""
    request = Request.blank(path, method="POST", body=body, content_type=FORM)
    request.environ.pop("CONTENT_LENGTH")
    request.environ["webob.is_body_seekable"] = False
    request.environ.update(environ)
    return int(request.get_response(app.app).status_int)


def test_what_fits_comes_in() -> None:
    assert app.post("/door?a=1", {"b": "ä"}).json == {"query": [["a", "1"]], "form": ["b"], "size": 8}


def test_a_body_announced_as_too_large_is_not_read() -> None:
    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    assert send({"CONTENT_LENGTH": "10001", "wsgi.input": Unread()}) == 413


def test_a_body_without_announced_length_is_read_up_to_the_limit() -> None:
    stream = io.BytesIO(b"x" * 1_000_000)
    assert send({"wsgi.input": stream, "wsgi.input_terminated": True}) == 413
    assert stream.tell() <= 10_001


def test_a_chunked_body_that_fits_is_read() -> None:
    assert send({"wsgi.input": io.BytesIO(b"a=1"), "wsgi.input_terminated": True}) == 200


def test_a_body_without_length_or_end_is_no_body() -> None:
    assert send({"wsgi.input": io.BytesIO(b"a=%ff")}) == 200


@pytest.mark.parametrize("length", ["-1", "+5", "5,5", "five", "0x10", "٣", "5 5"])
def test_a_length_that_is_no_number_is_a_bad_request(length: str) -> None:
    assert send({"CONTENT_LENGTH": length}, b"a=1") == 400


def test_a_body_shorter_than_announced_is_a_bad_request() -> None:
    assert send({"CONTENT_LENGTH": "500", "wsgi.input": io.BytesIO(b"a=1")}) == 400


def test_a_route_may_have_a_limit_of_its_own() -> None:
    assert app.post("/wide", {"a": "x" * 20_000}).status_int == 200
    assert app.post("/wide", {"a": "x" * 60_000}, status=413)


@pytest.mark.parametrize(
    "query",
    [
        "a=%ff",
        "%ff=1",
        "a=%c3%28",
        "a=%ed%a0%80",
        "a=%00",
        "%00",
        "a=%c0%80",
        "\xff=\xfe",
        "&".join("a" * (MAX_FIELDS + 1)),
    ],
)
def test_a_query_that_is_no_text_is_a_bad_request(query: str) -> None:
    assert send({"QUERY_STRING": query, "CONTENT_LENGTH": "0"}) == 400


@pytest.mark.parametrize("path", ["/door/%ff", "/%c3%28", "/door%00", "/%00"])
def test_a_path_that_is_no_text_is_a_bad_request(path: str) -> None:
    assert app.get(path, expect_errors=True).status_int in {400, 404}


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff=1", b"a=%00", b"a\0=1", b"&" * (MAX_FIELDS + 1)])
def test_a_form_that_is_no_text_is_a_bad_request(body: bytes) -> None:
    assert app.post("/door", body, content_type=FORM, status=400)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=\xff", b"--x\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nb\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Length: -5\r\n\r\nb\r\n--x--',
        ),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a\0"\r\n\r\nb\r\n--x--\r\n'),
        (FORM + "; charset=utf-16", b"a=1"),
        (FORM + "; charset=nonsense", b"a=1"),
        (FORM + "; charset=rot13", b"a=1"),
    ],
)
def test_a_form_that_cannot_be_parsed_is_never_our_mistake(content_type: str, body: bytes) -> None:
    assert send({"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}) in {
        200,
        400,
    }


@settings(max_examples=150)
@given(
    query=st.binary(max_size=60),
    body=st.binary(max_size=200),
    kind=st.sampled_from([FORM, "multipart/form-data; boundary=x", "text/plain", ""]),
)
def test_no_octets_whatever_make_it_our_mistake(query: bytes, body: bytes, kind: str) -> None:
    environ = {"QUERY_STRING": query.decode("latin-1"), "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}
    assert send({**environ, "wsgi.input": io.BytesIO(body)}) in {200, 400}


def test_a_file_field_left_empty_is_no_mistake() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
    assert app.post("/door", body, content_type="multipart/form-data; boundary=x").status_int == 200


def test_a_form_with_too_many_parts_is_a_bad_request() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    crowded = site(view("door", echo, cross_site=True), body_limit=1_000_000)
    crowded.post(
        "/door", part * (MAX_FIELDS + 1) + b"--x--", content_type="multipart/form-data; boundary=x", status=400
    )


def test_a_multipart_body_that_ends_early_is_a_bad_request() -> None:
    kind = "multipart/form-data; boundary=x"
    assert send({"CONTENT_TYPE": kind, "CONTENT_LENGTH": "500", "wsgi.input": io.BytesIO(b"--x\r\n")}) == 400


def test_every_way_of_reading_counts() -> None:
    assert list(LimitedInput(io.BytesIO(b"a\nb\n"), 4)) == [b"a\n", b"b\n"]
    assert LimitedInput(io.BytesIO(b"a\nb\n"), 4).readlines() == [b"a\n", b"b\n"]
    assert LimitedInput(io.BytesIO(b"abcd"), 4).read(2) == b"ab"
    assert LimitedInput(io.BytesIO(b"abcd"), 4).readline(3) == b"abc"
    for read in (lambda body: body.read(), lambda body: body.readline(), list):
        with pytest.raises(HTTPRequestEntityTooLarge):
            read(LimitedInput(io.BytesIO(b"abcd"), 3))


def test_a_file_comes_in_only_where_a_form_has_one() -> None:
    app.post("/import", upload_files=[("file", "a.csv", b"x")], status=200)
    app.post("/door", upload_files=[("next", "a.csv", b"x")], status=400)
