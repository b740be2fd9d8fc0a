"""Texts in the reader's language."""

import pytest

from federation.saml.metadata.languages import choose

PAIRS = (("fr", "F"), ("en", "E"), ("de-AT", "A"), ("de-CH", "C"), ("pt-BR", "B"), ("", "X"))


@pytest.mark.parametrize(
    ("readers", "text"),
    [
        ([], "E"),
        (["de-CH"], "C"),
        (["DE-ch"], "C"),
        (["de"], "A"),
        (["de-DE", "fr"], "A"),
        (["fr-CA", "en"], "F"),
        (["pt"], "B"),
        (["it", "fr"], "F"),
        (["it"], "E"),
    ],
)
def test_the_dearest_language_that_there_is(readers, text):
    assert choose(PAIRS, readers)[1] == text


def test_without_english_whatever_is_there_comes_first():
    assert choose((("it", "I"), ("fr", "F")), ["de"]) == ("it", "I")
    assert choose((), ["de"]) is None
