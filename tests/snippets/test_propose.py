"""Zones proposed from saved pages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sites import Zone
from snippets.propose import propose, propose_zones
from snippets.selectors import check_selector
from tests.snippets.shop_pages import DUTCH, ENGLISH


def told(zones: tuple[Zone, ...]) -> list[tuple[str, str, str]]:
    return [(zone.role, zone.name, zone.selector) for zone in zones]


def test_a_dutch_checkout_is_read_in_the_order_of_the_page() -> None:
    assert told(propose_zones(DUTCH)) == [
        ("field", "E-mailadres", "#email"),
        ("field", "Postcode", 'input[name="billing[postcode]"]'),
        ("field", "Land", 'select[name="land"]'),
        ("field", "Verzending", 'input[name="verzending"]'),
        ("field", "Voorwaarden", "#voorwaarden"),
        ("text", "Kortingscode", "div.kortingscode-regel"),
        ("field", "Opmerking", 'textarea[name="opmerking"]'),
        ("text", "Verzendkosten", "tr.verzendkosten"),
        ("text", "Prijs", "td.prijs"),
        ("text", "Totaal", "tr.order-totaal"),
        ("frame", "Betaalkader", "#ideal-frame"),
        ("pay", "Bestelling plaatsen", 'input[name="plaats"]'),
    ]


def test_made_up_ids_amounts_and_what_nothing_reaches_are_left_out() -> None:
    assert told(propose_zones(ENGLISH)) == [
        ("field", "Checkout email", 'input[name="checkout[email]"]'),
        ("text", "Shipping cost", "span.shipping-cost"),
        ("frame", "Payment frame", "div.card-element"),
        ("pay", "Pay", 'a[role="button"]'),
        ("button", "Save for later", "button.btn"),
        ("text", "Price", "span.price"),
    ]


def test_names_of_ours_are_in_the_pages_language() -> None:
    form = '<form><input class="a"><button class="go"></button><p class="price">9</p></form>'
    for lang, names in (
        ("nl-BE", ["Veld", "Knop", "Prijs"]),
        ("NL", ["Veld", "Knop", "Prijs"]),
        ("nds", ["Field", "Button", "Price"]),
        ("", ["Field", "Button", "Price"]),
    ):
        found = propose_zones(f'<html lang="{lang}"><body>{form}</body></html>')
        assert [zone.name for zone in found] == names, lang


@pytest.mark.parametrize("page", [DUTCH, ENGLISH])
def test_nothing_of_a_visitor_is_in_what_is_proposed(page: str) -> None:
    said = " ".join(f"{zone.name} {zone.selector}" for zone in propose_zones(page, most=99))
    assert not re.search(
        r"jan|1234 AB|Kerkstraat|Damrak|Bel twee|België|59|54", said, re.IGNORECASE
    )


def test_a_page_with_too_much_keeps_paying_frames_and_fields() -> None:
    kept = propose_zones(DUTCH, most=4)
    assert [zone.role for zone in kept] == ["field", "field", "frame", "pay"]
    assert [zone.number for zone in kept] == [1, 2, 3, 4]


def test_what_the_shop_marks_itself_comes_first_and_a_link_out_of_the_form_last() -> None:
    page = """<form><a class="terug" href="/winkelwagen">Terug</a><p data-gloed="Levertijd">2</p>
    <input id="naam"></form><a class="menu">Bonen</a>"""
    found = propose(page)
    assert [(one.name, one.selector, one.role) for one in found] == [
        ("Terug", "a.terug", "text"),
        ("Levertijd", '[data-gloed="Levertijd"]', "text"),
        ("Naam", "#naam", "field"),
    ]
    assert [one.name for one in propose(page, most=1)] == ["Levertijd"]


def test_every_proposal_says_why_it_was_chosen() -> None:
    assert all(one.why for page in (DUTCH, ENGLISH) for one in propose(page))


def test_a_password_is_never_proposed() -> None:
    assert propose_zones('<form><input type="PassWord" id="pw"></form>') == ()


def test_two_alike_are_told_apart_by_what_is_around_them() -> None:
    page = '<div id="a"><input class="x"></div><div id="b"><input class="x"></div>'
    assert [zone.selector for zone in propose_zones(page)] == ["#a input.x", "#b input.x"]


def test_two_that_are_called_alike_have_names_that_tell_them_apart() -> None:
    page = """<label for="a">Naam</label><input id="a"><label for="b">naam</label><input id="b">
    <label for="c">Naam 2</label><input id="c">"""
    # No word with a digit is in a name, so the third is called like the others.
    assert [zone.name for zone in propose_zones(page)] == ["Naam", "naam 2", "Naam 3"]


def test_the_choices_of_a_question_are_one_zone() -> None:
    page = """<input type="radio" name="wijze" id="thuis">
    <input type="radio" name="wijze" id="punt">
    <input type="radio" name="betaling" id="ideal"><input type="radio" id="alone">"""
    assert [(zone.name, zone.selector) for zone in propose_zones(page)] == [
        ("Wijze", 'input[name="wijze"]'),
        ("Betaling", 'input[name="betaling"]'),
        ("Alone", "#alone"),
    ]


def test_what_stands_around_the_boxes_of_a_question_is_its_zone() -> None:
    page = """<fieldset id="bezorgwijze"><legend>Bezorgwijze</legend>
      <label><input type="radio" name="wijze" id="thuis" checked> Kerkstraat 12</label>
      <label><input type="radio" name="wijze" id="punt"> Afhaalpunt</label></fieldset>
    <ul id="shipping_method"><li><input type="radio" name="m[0]">
    <li><input type="radio" name="m[0]"></ul><h3 id="extra">Extra's</h3>
    <div role="group" class="extras" aria-labelledby="extra">
      <input type="checkbox" name="cadeau"><input type="checkbox" name="kaart"></div>"""
    assert told(propose_zones(page)) == [
        ("field", "Bezorgwijze", "#bezorgwijze"),
        ("field", "M", "#shipping_method"),
        ("field", "Extra's", 'div[role="group"]'),
    ]


def test_the_one_fieldset_of_a_page_needs_no_name() -> None:
    page = """<fieldset><legend>Betaling</legend><input type="radio" name="b" id="x">
    <input type="radio" name="b"></fieldset>"""
    assert told(propose_zones(page)) == [("field", "Betaling", "fieldset")]
    twice = [zone.selector for zone in propose_zones(page + "<fieldset><input></fieldset>")]
    assert twice == ['input[name="b"]']


@pytest.mark.parametrize(
    "page",
    [
        """<fieldset id="adres"><legend>Adres</legend><input type="radio" name="wie" id="man">
        <input type="radio" name="wie"><input id="straat"></fieldset>""",
        """<fieldset id="twee"><input type="radio" name="wie" id="man">
        <input type="radio" name="wie"><input type="radio" name="hoe"></fieldset>""",
        """<fieldset id="los"><input type="checkbox" name="wie" id="man">
        <input type="checkbox" name="hoe"></fieldset>""",
        """<fieldset id="half"><legend>Wie</legend><input type="radio" name="wie" id="man">
        <input type="radio" name="wie"></fieldset><input type="radio" name="wie">""",
    ],
    ids=["another field", "two questions", "boxes without a heading", "a box elsewhere"],
)
def test_what_stands_around_more_or_less_than_a_question_is_not_its_zone(page: str) -> None:
    selectors = [zone.selector for zone in propose_zones(page)]
    assert selectors[0] in ('input[name="wie"]', "#man")
    assert not [selector for selector in selectors if selector in ("#adres", "#twee", "#half")]


def test_a_line_is_what_its_words_say_before_what_its_class_does() -> None:
    page = """<html lang="nl"><div class="overzicht">
    <p class="totaal" id="a">Verzendkosten <b>€ 12,95</b></p>
    <p class="totaal kosten">Verzending: gratis</p>
    <p class="totaal eind">Totaal <b>€ 69</b></p></div>
    <p class="totaal">Lees hoe het totaal van je bestelling uit verzendkosten en artikelen wordt
    opgeteld, en wat je terugkrijgt als je iets terugstuurt</p>"""
    assert [(zone.name, zone.selector) for zone in propose_zones(page)] == [
        ("Verzendkosten", "#a"),
        ("Totaal", "p.eind"),
    ]


def test_a_subtotal_is_no_total() -> None:
    page = """<table><tr class="cart-subtotal"><td>42</td></tr>
    <tr class="order-total"><td>47</td></tr></table>"""
    assert [(zone.name, zone.selector) for zone in propose_zones(page)] == [
        ("Subtotal", "tr.cart-subtotal"),
        ("Total", "tr.order-total"),
    ]


def test_lines_that_no_selector_tells_apart_are_one_zone_that_says_so() -> None:
    page = """<html lang="nl"><p class="totaal">Verzendkosten <b>€ 12,95</b></p>
    <p class="totaal">Totaal <b>€ 69,35</b></p>"""
    (one,) = propose(page)
    assert (one.name, one.selector) == ("Verzendkosten / Totaal", "p.totaal")
    assert "give each an id" in one.why
    # The class still reaches both lines, whichever of them has a name of its own besides.
    apart = propose(page.replace('"totaal">Tot', '"totaal" id="som">Tot'))
    assert [(zone.name, zone.selector) for zone in apart] == [
        ("Verzendkosten / Totaal", "p.totaal"),
        ("Totaal", "#som"),
    ]


def test_fields_watch_what_the_browser_knows_of_them() -> None:
    page = """<input id="naam"><select id="land"></select><textarea id="bericht"></textarea>
    <label><input type="checkbox" id="av"> Ik ga akkoord</label><input type="checkbox" id="cadeau">
    <input id="kaart" autocomplete="cc-number"><button id="verder">Betaal</button>"""
    assert {zone.selector: (zone.watches, zone.sensitive) for zone in propose_zones(page)} == {
        "#naam": ({"validity"}, False),
        "#land": ({"validity"}, False),
        "#bericht": ({"validity"}, False),
        "#av": ({"checked"}, False),
        "#cadeau": (frozenset(), False),
        "#kaart": (frozenset(), True),
        "#verder": (frozenset(), False),
    }


def test_an_id_beyond_the_grammar_of_ids_becomes_an_attribute() -> None:
    (zone,) = propose_zones('<label for="billing:city">City</label><input id="billing:city">')
    assert (zone.name, zone.selector) == ("City", '[id="billing:city"]')


def test_what_is_broken_or_says_little_is_still_read() -> None:
    page = """<form><input/><![if x]><label for="q"><button class="btn btn-1234">Vooruit</button>
    <iframe id="card" src="http://[broken"></iframe></span><button id="b" aria-label="Terug">"""
    assert told(propose_zones(page)) == [
        ("button", "Vooruit", "button.btn"),
        ("frame", "Payment frame", "#card"),
        ("button", "Terug", "#b"),
    ]


FRAGMENTS = st.sampled_from(
    """< > </ <![if ]> <!-- <input name=" " <form> </form> <label> <iframe src='http://[ <button>
    pay <select id= class=price é <a """.split(" ")
)


@given(st.lists(FRAGMENTS | st.text(max_size=5), max_size=40).map("".join))
def test_any_text_gives_zones_of_the_grammar_with_numbers_of_their_own(page: str) -> None:
    zones = propose_zones(page)
    assert [zone.number for zone in zones] == list(range(1, len(zones) + 1))
    assert all(check_selector(zone.selector) == zone.selector for zone in zones)
    assert len({zone.selector for zone in zones}) == len(zones) <= 12
    assert all(0 < len(zone.name) <= 40 for zone in zones)
    assert len({zone.name.casefold() for zone in zones}) == len(zones)
    assert zones == propose_zones(page)
