from __future__ import annotations

from datetime import timedelta

import pytest
from pyramid.request import Request
from pyramid.response import Response

from federation.web.cookies import BINDING, CSRF, SESSION, Cookies, Purpose

HTTPS = Cookies("intranet", https=True)
HTTP = Cookies("intranet", https=False)


def header(cookies: Cookies, purpose: Purpose, **options: timedelta) -> list[str]:
    response = Response()
    cookies.set(response, purpose, "value", **options)
    return str(response.headers["Set-Cookie"]).split("; ")


def test_on_https_a_cookie_belongs_to_this_host_alone() -> None:
    parts = header(HTTPS, SESSION)
    assert parts[0] == "__Host-intranet-session=value"
    assert {"Path=/", "secure", "HttpOnly", "SameSite=Lax"} == set(parts[1:])


def test_on_loopback_http_it_cannot_be_secure() -> None:
    parts = header(HTTP, SESSION)
    assert parts[0] == "intranet-session=value"
    assert "secure" not in parts


def test_sites_on_one_host_name_do_not_share_a_name() -> None:
    assert HTTP.name(SESSION) != Cookies("learning", https=False).name(SESSION)


@pytest.mark.parametrize("purpose", [SESSION, CSRF])
def test_what_is_only_for_our_own_pages_stays_out_of_posts_from_other_sites(purpose: Purpose) -> None:
    assert "SameSite=Lax" in header(HTTPS, purpose)


def test_the_binding_arrives_with_a_post_from_another_site() -> None:
    assert {"SameSite=None", "secure"} < set(header(HTTPS, BINDING))


def test_on_loopback_http_a_browser_would_refuse_none_without_secure() -> None:
    assert "SameSite=Lax" in header(HTTP, BINDING)


def test_a_cookie_may_outlive_the_browser() -> None:
    assert "Max-Age=3600" in header(HTTPS, SESSION, max_age=timedelta(hours=1))


def test_a_cookie_is_read_back_by_purpose() -> None:
    request = Request.blank("/", cookies={"__Host-intranet-session": "value", "intranet-csrf": "other"})
    assert HTTPS.get(request, SESSION) == "value"
    assert HTTPS.get(request, CSRF) is None


def test_a_cookie_is_taken_back_with_the_attributes_it_was_set_with() -> None:
    response = Response()
    HTTPS.delete(response, BINDING)
    parts = str(response.headers["Set-Cookie"]).split("; ")
    assert parts[0] == "__Host-intranet-binding="
    assert {"Max-Age=0", "Path=/", "secure", "SameSite=None"} < set(parts)


def test_an_emptied_cookie_is_no_cookie() -> None:
    assert HTTP.get(Request.blank("/", cookies={"intranet-session": ""}), SESSION) is None


def request_with(header: str) -> Request:
    return Request.blank("/", environ={"HTTP_COOKIE": header})


def test_a_cookie_is_found_among_whatever_else_the_browser_sends() -> None:
    request = request_with('a; =b; c=\xff; other-intranet-session=no; intranet-session=x=y ; ;d="')
    assert HTTP.get(request, SESSION) == "x=y"
    assert HTTP.get(Request.blank("/"), SESSION) is None


def test_of_two_cookies_with_our_name_the_last_counts() -> None:
    assert HTTP.get(request_with("intranet-session=a;\tintranet-session \t=\t b "), SESSION) == "b"
    assert HTTP.get(request_with("intranet-session=a; intranet-session"), SESSION) is None


@pytest.mark.parametrize("blank", ["\x85", "\xa0", "\x0b", "\x0c", "\x1c", "\xe2\x80\x80"])
def test_no_odd_blank_makes_a_neighbours_cookie_one_of_this_host_alone(blank: str) -> None:
    """A browser sees another name there, so it lets a subdomain set it for all; stripped, it would be our name."""
    request = request_with(f"{blank}__Host-intranet-session=evil; __Host-intranet-session{blank}=evil")
    assert HTTPS.get(request, SESSION) is None
