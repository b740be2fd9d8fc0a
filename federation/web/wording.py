"""The words of problem pages: what happened in one plain sentence, and what to do next.

They say nothing that helps an attacker and nothing that a person need not know; the log says the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person is told. `sentence` says what happened, `advice` what to do next, `allow` the methods of a 405."""

    status: int
    title: str
    sentence: str
    advice: str
    allow: tuple[str, ...] = ()


UNREADABLE: Final = Problem(
    400,
    "This message cannot be read",
    "The message that your browser delivered is damaged or incomplete.",
    "Go back to the site you came from and try again from there.",
)
REFUSED: Final = Problem(
    400,
    "This message was not accepted",
    "The message that your browser delivered did not pass a security check.",
    "Go back to the site you came from and start again. If that does not help, give your administrator the reference "
    "number.",
)
UNTRUSTED: Final = replace(REFUSED, status=403)
DECIDED: Final = Problem(
    403,
    "You do not have access",
    "An administrator's settings do not allow this.",
    "If you think you should have access, ask your administrator and give the reference number.",
)
STALE_FORM: Final = Problem(
    400,
    "This form is no longer valid",
    "The form was open for too long, or your browser did not send this site's cookie.",
    "Go back, reload the page and try again. Cookies must be allowed for this site.",
)
FOREIGN_FORM: Final = Problem(
    400,
    "This form came from another address",
    "The form was not sent from a page of this site.",
    "Open this site at its own address and try again there.",
)
BROKEN: Final = Problem(
    500,
    "Something went wrong here",
    "This site made a mistake. It was recorded, and it is not your fault.",
    "Try again in a moment. If it happens again, give your administrator the reference number.",
)
BAD_REQUEST: Final = Problem(
    400,
    "This request cannot be read",
    "Your browser sent something that this site cannot read.",
    "Check the address, or go back and try again.",
)
NOT_FOUND: Final = Problem(
    404,
    "Page not found",
    "There is no page at this address.",
    "Check the address, or start again from the first page.",
)
WRONG_METHOD: Final = Problem(
    405,
    "This address does not work that way",
    "The address exists, but not for this kind of request.",
    "Go back and follow a link or a button instead.",
)
BY_STATUS: Final = {
    400: BAD_REQUEST,
    401: Problem(401, "You are not signed in", "This page is for people who are signed in.", "Sign in and try again."),
    403: DECIDED,
    404: NOT_FOUND,
    405: WRONG_METHOD,
    413: Problem(
        413,
        "Too large",
        "What your browser sent is larger than this site accepts.",
        "Send something smaller, or ask your administrator about the limit.",
    ),
    429: Problem(
        429,
        "Too many attempts",
        "There were too many attempts in a short time.",
        "Wait a few minutes, then try again.",
    ),
    503: Problem(
        503,
        "Not available right now",
        "This site cannot answer at the moment.",
        "Try again in a few minutes.",
    ),
}
