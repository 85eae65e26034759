"""The stylesheet of a page: constant, relative, small, and asking for nothing but beacons."""

import base64
import gzip
import hashlib
import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import wire
from collector.sites import Zone
from snippets.audit import faults, requests, rules
from snippets.errors import SelectorError, SheetError
from snippets.selectors import check_selector
from snippets.sheet import SCROLL_END_PX, WATCHES, stylesheet
from tests.snippets.build import FIVE, page_of

SHEET_BUDGET_BYTES = 5_000
"""For five zones; what a page without pointer cells may cost."""

CELLS_BUDGET_BYTES = 10_000
"""With pointer cells."""

BLOCKS = {"#gloed", "#gloed-page", "#gloed-leave"}

FREE = [zone.number for zone in FIVE if not zone.sensitive]


def with_cells(*menus: str) -> str:
    page = replace(page_of(*FIVE), cells=True, menus=menus)
    return stylesheet(page).css.decode("ascii")


def text(*zones: Zone) -> str:
    return stylesheet(page_of(*zones)).css.decode("ascii")


def test_a_page_of_five_zones_stays_within_its_budget() -> None:
    page = page_of(*(replace(zone, watches=frozenset(WATCHES)) for zone in FIVE))
    assert len(stylesheet(page).gzip) <= SHEET_BUDGET_BYTES
    assert len(stylesheet(replace(page, cells=True)).gzip) <= CELLS_BUDGET_BYTES


def test_the_gzipped_form_and_the_integrity_are_those_of_the_same_bytes() -> None:
    sheet = stylesheet(page_of(*FIVE))
    assert gzip.decompress(sheet.gzip) == sheet.css
    digest = base64.b64encode(hashlib.sha384(sheet.css).digest()).decode()
    assert sheet.integrity == f"sha384-{digest}"


def test_the_same_zones_give_the_same_bytes_in_whatever_order_they_come() -> None:
    shuffled = list(FIVE)
    random.Random(7).shuffle(shuffled)
    assert stylesheet(page_of(*shuffled)) == stylesheet(page_of(*FIVE))
    loose = replace(FIVE[0], selector="#checkout   input[ name='checkout[email]' ]")
    assert stylesheet(page_of(loose, *FIVE[1:])) == stylesheet(page_of(*FIVE))


def test_it_asks_for_exactly_the_beacons_it_should_and_no_name_is_unknown() -> None:
    clocks = {f"{state}{seconds}" for state in "hf" for seconds in wire.DWELL_STEPS_S}
    presses = {f"p{press}" for press in range(1, wire.PRESSES + 1)}
    wanted = {"t", "coarse", "dark", "hidpi"} | {f"no-{lack}" for lack in wire.LACKS}
    wanted |= {f"{zone.number}.{name}" for zone in FIVE for name in clocks | presses}
    wanted |= {f"{number}.{first}" for number in FREE for first in "hf"}
    wanted |= {f"b{band}.{s}" for band in range(wire.BANDS) for s in wire.DWELL_STEPS_S}
    wanted |= {f"t{seconds}" for seconds in wire.ALIVE_STEPS_S}
    wanted |= {f"y{y_px}" for y_px in range(100, SCROLL_END_PX + 1, wire.SCROLL_STEP_PX)}
    wanted |= {f"z{depth_px}" for depth_px in range(400, SCROLL_END_PX + 1, wire.DEPTH_STEP_PX)}
    wanted |= {f"w{width_px}" for width_px in wire.WIDTHS_PX}
    wanted |= {f"g{height_px}" for height_px in wire.HEIGHTS_PX}
    asked = requests(text(*FIVE))
    assert set(asked) == wanted
    assert len(asked) == len(wanted)
    assert all(wire.BEACON_NAME.fullmatch(name) for name in wanted - {"t"})


def test_a_sensitive_zone_has_presses_and_dwell_alone() -> None:
    (zone,) = (zone for zone in FIVE if zone.sensitive)
    own = {name for name in requests(text(zone)) if name.startswith(f"{zone.number}.")}
    assert {re.sub(r"\d+$", "", name.split(".")[1]) for name in own} == {"h", "f", "p"}
    assert not {f"{zone.number}.h", f"{zone.number}.f"} & own


def test_every_selector_of_the_shop_stands_alone_in_its_rule() -> None:
    preludes = [rule.prelude for rule in rules(text(*FIVE))]
    for zone in FIVE:
        selector = check_selector(zone.selector)
        assert [prelude for prelude in preludes if selector in prelude] == [
            f":root:has({selector}:{state}) #gloed .gl{zone.number}"
            for state in ("hover", "focus-within", "active")
        ]


def test_no_rule_is_about_an_element_of_the_shop() -> None:
    subjects = {
        part
        for rule in rules(text(*FIVE))
        if not rule.groups or not rule.groups[-1].startswith("@keyframes")
        for part in re.sub(r"^:root:has\([^()]*\) ", "", rule.prelude).split(",")
    }
    assert {re.split("[ >]", subject)[0] for subject in subjects} == BLOCKS


def test_animations_and_transitions_outrank_the_resets_of_shops() -> None:
    motion = re.compile(r"(?:^|;)((?:animation|transition)[a-z-]*:[^;]*)")
    declared = [found for rule in rules(text(*FIVE)) for found in motion.findall(rule.body)]
    assert len(declared) > 10
    assert all(declaration.endswith("!important") for declaration in declared)


def test_what_only_some_engines_know_is_guarded() -> None:
    for rule in rules(text(*FIVE)):
        if "-timeline:" in rule.body.replace("url(no-timeline)", "").replace("no-timeline:", ""):
            assert rule.groups
            assert rule.groups[0].startswith("@supports (animation-timeline:")


def test_an_engine_that_would_tell_of_rows_too_soon_tells_of_none() -> None:
    marks = [rule for rule in rules(text(*FIVE)) if "url(z" in rule.body]
    assert marks
    for rule in marks:
        assert "(content-visibility:auto)" in rule.groups[0]
        assert "(not (animation-timeline:scroll()))" in rule.groups[0]


def test_states_and_what_a_field_watches_are_asked_for_where_a_shop_names_them() -> None:
    zone = Zone(
        7,
        "Postcode",
        "#postcode",
        "field",
        states={"error": ".woocommerce-invalid #postcode", "busy": "form.processing"},
        watches=frozenset({"validity", "checked"}),
    )
    own = {
        rule.prelude: rule.body for rule in rules(text(zone)) if rule.body.startswith("--gl-is-")
    }
    assert own == {
        ":root:has(.woocommerce-invalid #postcode) #gloed .gl7": "--gl-is-e:url(7.e)",
        ":root:has(form.processing) #gloed .gl7": "--gl-is-b:url(7.b)",
        ":root:has(#postcode:user-invalid) #gloed .gl7": "--gl-is-i:url(7.i)",
        ":root:has(#postcode:user-valid) #gloed .gl7": "--gl-is-v:url(7.v)",
        ":root:has(#postcode:autofill) #gloed .gl7": "--gl-is-o:url(7.o)",
        ":root:has(#postcode:checked) #gloed .gl7": "--gl-is-c:url(7.c)",
    }
    assert "--gl-is-" not in text(replace(zone, sensitive=True))


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        (Zone(1, "a", "#a", states={"wrong": "#b"}), "state 'wrong'; use busy, error, open"),
        (Zone(1, "a", "#a", watches=frozenset({"value"})), "watch 'value'; use checked, validity"),
    ],
)
def test_states_and_watches_that_do_not_exist_are_refused(zone: Zone, told: str) -> None:
    with pytest.raises(SheetError, match=told):
        stylesheet(page_of(zone))


def test_selectors_of_states_and_menus_are_of_the_grammar_too() -> None:
    with pytest.raises(SelectorError):
        text(Zone(1, "a", "#a", states={"error": "#a:hover"}))
    with pytest.raises(SelectorError):
        with_cells("nav, p")


def test_every_cell_has_its_name_and_a_menu_of_the_shop_keeps_its_pointer() -> None:
    sheet = with_cells(".mega-menu")
    assert faults(sheet) == []
    cells = [name for name in requests(sheet) if re.fullmatch(r"c\d+\.\d+", name)]
    assert cells == [
        f"c{row}.{column}" for row in range(wire.CELL_ROWS) for column in range(wire.CELL_COLUMNS)
    ]
    guards = {rule.prelude: rule.body for rule in rules(sheet) if rule.prelude.endswith("gl-i")}
    for guarded in ("a", "nav", "[tabindex]", ".mega-menu"):
        assert guards[f":root:has({guarded}:hover) #gloed-page gl-i"] == "pointer-events:none"
    assert guards[":root:active #gloed-page gl-i"] == "pointer-events:none"


def test_cells_exist_for_a_mouse_alone_and_where_their_guard_is_understood() -> None:
    guarded = "@supports selector(:has(a)) and selector(&)"
    fine = "@media (hover:hover) and (pointer:fine)"
    for rule in rules(with_cells()):
        if "gl-i" in rule.prelude and "gl-is" not in rule.prelude:
            assert rule.groups[:2] == (guarded, fine)


def test_a_page_without_zones_still_tells_of_itself() -> None:
    asked = requests(text())
    assert "t600" in asked
    assert not [name for name in asked if "." in name and name[0] != "b"]


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ((Zone(0, "a", "#a"),), "1..999"),
        ((Zone(1000, "a", "#a"),), "1..999"),
        ((Zone(3, "a", "#a"), Zone(1, "b", "#b"), Zone(3, "c", "#c")), "3 is given twice"),
    ],
)
def test_numbers_that_cannot_be_are_refused(zones: tuple[Zone, ...], told: str) -> None:
    with pytest.raises(SheetError, match=told):
        stylesheet(page_of(*zones))


def test_a_selector_outside_the_grammar_never_reaches_the_sheet() -> None:
    with pytest.raises(SelectorError, match="value"):
        stylesheet(page_of(Zone(1, "a", '#a[value="1"]')))


HOSTILE = "</style><script>{}*/\\"


@given(st.text(), st.text(max_size=20))
def test_a_zones_name_and_a_pages_title_are_not_in_the_sheet(name: str, title: str) -> None:
    zone = Zone(1, name + HOSTILE, "#a")
    page = replace(page_of(zone), title=title + HOSTILE)
    assert stylesheet(page) == stylesheet(page_of(Zone(1, "a", "#a")))


def test_a_sound_sheet_has_no_faults() -> None:
    assert faults(text(*FIVE)) == []


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("#gloed gl-c{background-image:url(https://x.example/1.h)}", "'//'"),
        ("#gloed gl-c{background-image:url(7.x)}", "'7.x', which is no beacon"),
        ('#gloed gl-c{background-image:url("a(b")}', "not plain"),
        ("#pay{color:red}", "'#pay' is not about our own"),
        ("#gloedx gl-c{color:red}", "not about our own"),
        ("#gloed gl-c,#pay{color:red}", "not about our own"),
        ("#gloed~p{color:red}", "not about our own"),
        (":root:has(input:checked) #gloed .gl1{--gl-hover:running}", "not about our own"),
        (":root:has(input:disabled) #gloed .gl1{--gl-is-c:url(1.c)}", "not about our own"),
        (":root:has(#a:checked) #gloed .gl1{--gl-is-c:url(1.h)}", "not about our own"),
        (":root:has(#a) #gloed .gl1{width:9px}", "not about our own"),
        (":root:active #pay{color:red}", "not about our own"),
        ("#gloed-page .gl-r1{p:nth-child(1):hover{background:url(c1.1)}}", "not about our own"),
        ("#pay{gl-i:nth-child(1):hover{background:url(c1.1)}}", "not about our own"),
        (":root:has(*:hover) #gloed .gl1{--gl-hover:running}", "not about our own"),
        (":root:has(#a:hover) #pay{color:red}", "not about our own"),
        ('#gloed gl-c[value="4"]{color:red}', "'[value'"),
        ("@import 'x';", "@import"),
        ("@font-face{src:local(x)}", "'src:'"),
        ("@layer a{#gloed gl-c{color:red}}", "'@layer a' is not one of"),
        ("@keyframes a{to{background:url(t1)}}", "only change sizes"),
        ("@keyframes a{p{width:1px}}", "only change sizes"),
        ("#gloed gl-c{content:'\u00e9'}", "beyond ASCII"),
        ("#gloed gl-c{", "ends inside"),
        ("}", "without its opening"),
    ],
)
def test_the_audit_finds_what_would_break_a_promise(added: str, fault: str) -> None:
    assert any(fault in found for found in faults(text(*FIVE) + added))
