"""What a column of written JSON holds reads as what was put there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from federation.storage.written import Written, WrittenJSON, json_text

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def stored(value: Any) -> Any:
    column, dialect = WrittenJSON(), sqlite.dialect()
    return column.process_result_value(column.bind_processor(dialect)(value), dialect)


@given(VALUES, VALUES, st.booleans())
def test_a_text_that_is_json_already_reads_as_what_it_says(value: Any, other: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert stored([Written(text), other]) == stored([value, other])
    assert stored([Written(text), "\ud800", {"a": other}]) == stored([value, "\ud800", {"a": other}])


def test_what_has_no_json_is_a_mistake_beside_a_lone_surrogate_too() -> None:
    for value in ([object()], ["\ud800", object()]):
        with pytest.raises(TypeError):
            json_text(value)
