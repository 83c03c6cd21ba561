"""Whatever colour a site chooses, its pages stay readable."""

import pytest
from hypothesis import given, strategies as st

from landing import colours

COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(COLOURS, st.sampled_from([colours.LIGHT_CARD, colours.DARK_CARD]))
def test_every_colour_gives_enough_contrast(colour: str, card: str) -> None:
    scheme = colours.scheme(colour, card)
    for text, background in [
        (scheme.accent, card),
        (scheme.accent, scheme.tint),
        (scheme.on_button, scheme.button),
        (colours.text_on(colour), colour),
    ]:
        assert colours.contrast(text, background) >= colours.CONTRAST_MIN


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    assert colours.scheme("#1f6091", colours.LIGHT_CARD).accent == "#1f6091"


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    # The values are those of WCAG's own examples and of its widespread checkers.
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#fff000", "#fff000", 1),
    ],
)
def test_contrast_is_that_of_wcag(first: str, second: str, ratio: float) -> None:
    assert colours.contrast(first, second) == pytest.approx(ratio, abs=0.005)
    assert colours.contrast(second, first) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(
    ("text", "is_colour"),
    [
        ("#12aBc9", True),
        ("#123", False),
        ("red", False),
        ("#12345g", False),
        ("#1234567", False),
        ("#123456\n", False),
        ("#\u0661\u0661\u0661\u0661\u0661\u0661", False),
    ],
)
def test_a_colour_has_six_hexadecimal_digits(text: str, *, is_colour: bool) -> None:
    assert colours.is_colour(text) is is_colour


def test_colours_mix_in_proportion() -> None:
    assert colours.mix("#000000", "#ffffff", 0.5) == "#808080"
    assert colours.mix("#102030", "#ffffff", 0.0) == "#102030"
