from __future__ import annotations

import jinja2
import pytest

from federation.web.stencil import Hole, Stencil

ENVIRONMENT = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
PAGE = (
    "{% macro twice(text) %}<b title='to {{ text }}'>{{ text }}</b>{% endmacro %}"
    "{{ constant }}{% for name, value in fields %}<input name={{ name }} value='{{ value }}'>{% endfor %}"
    "{% if constant == 'same' %}{{ twice(recipient) }}{% endif %}{{ recipient }}"
)


def cut(template: str) -> Stencil:
    recipient, value = holes = Hole(), Hole()
    values = {"constant": "same", "recipient": recipient, "fields": [("message", value)]}
    return Stencil(ENVIRONMENT.from_string(template).render(values), holes)


@pytest.mark.parametrize(
    "text",
    ["plain", "<", ">", "&", "'", '"', "<b> & \"quoted\" 'twice'", "", "hole-" + "0" * 32, r"\1 %s {}", "ä\u2028"],
)
def test_filling_in_gives_what_rendering_gives(text: str) -> None:
    values = {"constant": "same", "recipient": text, "fields": [("message", text[::-1])]}
    rendered = ENVIRONMENT.from_string(PAGE).render(values)
    assert cut(PAGE).fill((text, text[::-1])).decode() == rendered


def test_a_stencil_is_filled_in_any_number_of_times() -> None:
    stencil = cut("{{ recipient }}: {{ fields[0][1] }}")
    assert [stencil.fill((name, "x")) for name in ("a", "b")] == [b"a: x", b"b: x"]


@pytest.mark.parametrize(
    "use",
    [
        "{% if recipient %}yes{% endif %}",
        "{% if recipient == 'Intranet' %}yes{% endif %}",
        "{% if recipient in ('Intranet',) %}yes{% endif %}",
        "{% if recipient < 'x' %}yes{% endif %}",
        "{{ recipient or 'nobody' }}",
        "{{ recipient ~ '!' }}",
        "{{ recipient | upper }}",
        "{{ recipient | length }}",
        "{{ recipient[0] }}",
        "{{ '%s' % recipient }}",
        "{{ '{}'.format(recipient) }}",
        "{{ {recipient: 1} }}",
        "{% for letter in recipient %}{{ letter }}{% endfor %}",
        "{{ request }}",
    ],
)
def test_a_template_that_does_more_than_write_what_is_open_is_no_stencil(use: str) -> None:
    with pytest.raises((TypeError, jinja2.UndefinedError)):
        cut(use)
