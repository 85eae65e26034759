"""The closed grammar of selectors."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from snippets.errors import SelectorError, shown
from snippets.selectors import (
    ATTRIBUTES,
    MAX_CHARACTERS,
    MAX_COMPOUNDS,
    MAX_PARTS,
    TELLTALE,
    check_selector,
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("#email", "#email"),
        ("  INPUT#Email \n", "input#Email"),
        (".a.b-c._d.--e", ".a.b-c._d.--e"),
        ("form   input", "form input"),
        ("form\t>\ninput", "form>input"),
        ("a b>c  >  d", "a b>c>d"),
        ("[NAME='street[0]']", '[name="street[0]"]'),
        ('[ id = "billing:email" ]', '[id="billing:email"]'),
        ("[tabindex]", "[tabindex]"),
        ('gl-x[data-Step="2 b"].on', 'gl-x[data-step="2 b"].on'),
        ('input[type="email"][autocomplete="email"]', 'input[type="email"][autocomplete="email"]'),
        ('#login [type="password"]', '#login [type="password"]'),
        ('form[name="x"] input[type="password"]', 'form[name="x"] input[type="password"]'),
        ('[aria-invalid="true"]', '[aria-invalid="true"]'),
        ('[name=""]', '[name=""]'),
    ],
)
def test_a_selector_of_the_grammar_has_one_normal_form(written: str, normal: str) -> None:
    assert check_selector(written) == normal


@pytest.mark.parametrize(
    "refused",
    [
        "",
        " \n",
        "*",
        "a,b",
        "a:hover",
        "a::before",
        ":root",
        "a+b",
        "a~b",
        "> a",
        "a >",
        "a > > b",
        "#1a",
        ".-1",
        "#",
        "..a",
        "#a input{}",
        "a{color:red}",
        "a}b",
        "#a/**/b",
        "#caf\u00e9",
        "a\u00a0b",
        "\\61",
        "#a\\:b",
        "#a input.x b#c.d/e",
        "[name",
        "[name=]",
        "[name=a]",
        '[name="a',
        "[name=\"a']",
        '[name="a" i]',
        '[name^="a"]',
        '[name$="a"]',
        '[name*="a"]',
        '[name~="a"]',
        '[name|="a"]',
        '[name="a\\"b"]',
        '[name="jan@example.nl"]',
        '[name="a}b"]',
        '[name="url(x)"]',
        "[value]",
        '[VALUE="a"]',
        "[pattern]",
        "[placeholder]",
        "[data-value]",
        "[data-initialvalue]",
        "[data-]",
        "[data]",
        '[name="item[value]"]',
        '[name="item[ Value]"]',
        "[href]",
        "[class]",
        "[style]",
        "[aria-label]",
        '[type="password"][name="x"]',
        '[name][type=" PASSWORD "]',
        '[id="a"][autocomplete="new-password"]',
        "#a[name]b",
        ".a" * (MAX_PARTS + 1),
        " ".join("a" * (MAX_COMPOUNDS + 1)),
        "#" + "a" * MAX_CHARACTERS,
    ],
)
def test_everything_else_is_refused_with_the_value_and_a_remedy(refused: str) -> None:
    with pytest.raises(SelectorError) as error:
        check_selector(refused)
    message = str(error.value)
    assert shown(refused.strip(" \n")) in message or "is empty" in message
    assert ";" in message


def test_the_limits_themselves_are_allowed() -> None:
    assert check_selector(".a" * MAX_PARTS)
    assert check_selector(" ".join("a" * MAX_COMPOUNDS))
    assert len(check_selector("#" + "a" * (MAX_CHARACTERS - 1))) == MAX_CHARACTERS


ALPHABET = "aB1-_#.[]=\"' >:,*\\~^$|{}()\n\u00e9"
PARTS = ("#a", ".b", "div", "[name]", '[id="x:y"]', "[data-a='b']", '[type="password"]', " ", " > ")
PIECES = st.sampled_from([*PARTS, *sorted(ATTRIBUTES), *TELLTALE])


@given(
    st.text()
    | st.text(alphabet=ALPHABET, max_size=30)
    | st.lists(PIECES | st.text(alphabet=ALPHABET, max_size=3), max_size=12).map("".join)
)
def test_any_text_is_refused_or_is_normal_after_one_pass(text: str) -> None:
    try:
        normal = check_selector(text)
    except SelectorError:
        return
    assert check_selector(normal) == normal
    assert normal.isascii()
    assert not set(normal) & set("\\{}();*<@~^$|'\n")
    assert not any(f"[{word}" in normal for word in TELLTALE)


COMPOUND = st.builds(
    lambda tag, rest: tag + "".join(rest),
    st.sampled_from(["", "input", "x-y"]),
    st.lists(
        st.sampled_from(["#a", ".b", "[role]", '[for="c d"]', '[data-x="[0]"]']),
        min_size=1,
        max_size=4,
    ),
)


@given(st.lists(COMPOUND, min_size=1, max_size=MAX_COMPOUNDS), st.sampled_from([" ", ">"]))
def test_whatever_is_built_by_the_grammar_is_accepted_as_it_stands(
    compounds: list[str], combinator: str
) -> None:
    written = combinator.join(compounds)
    assume(len(written) <= MAX_CHARACTERS)
    assert check_selector(written) == written
