"""What a shop pastes."""

import gzip
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from collector import wire
from collector.sites import Zone
from snippets.errors import SnippetError
from snippets.html import snippet_html, wrap_csp
from snippets.sheet import stylesheet
from tests.snippets.build import FIVE, SITE_KEY, page_of

HTML_BUDGET_BYTES = 700
"""For five zones."""

CELLS_BUDGET_BYTES = 900
"""With pointer cells."""

BLOCKS = ("gloed", "gloed-page", "gloed-leave")

PAGE = page_of(*FIVE)


class Tags(HTMLParser):
    """Every element with its attributes; fails where one is not closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.depth: list[str] = []
        self.feed(html)
        self.close()
        assert self.depth == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("link", "img"):
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize(
    ("cells", "budget_bytes"), [(False, HTML_BUDGET_BYTES), (True, CELLS_BUDGET_BYTES)]
)
def test_a_page_of_five_zones_stays_within_its_budget(cells: bool, budget_bytes: int) -> None:
    html = snippet_html(
        site_key=SITE_KEY,
        page=replace(PAGE, cells=cells),
        base="https://stats.example.com/g",
        ref="order-2026-000123",
        integrity=stylesheet(PAGE).integrity,
    )
    assert len(gzip.compress(html.encode(), 9, mtime=0)) <= budget_bytes


@pytest.mark.parametrize("cells", [False, True])
def test_it_is_one_link_one_image_and_empty_elements_of_our_own(cells: bool) -> None:
    tags = Tags(snippet_html(site_key=SITE_KEY, page=replace(PAGE, cells=cells)))
    (link, _), *rest = tags.seen
    assert link == "link"
    blocks = [given for tag, given in rest if tag == "gl-oed"]
    assert blocks == [{"id": name, "aria-hidden": "true", "popover": "manual"} for name in BLOCKS]
    assert [tag for tag, _ in rest if not tag.startswith("gl-")] == ["img"]
    inner = [given for tag, given in rest if tag not in ("gl-oed", "img")]
    assert {name for given in inner for name in given} == {"class"}
    assert "".join(tags.texts).strip() == ""


def test_cells_are_in_the_paste_of_pages_that_ask_for_them_alone() -> None:
    for cells, wanted in ((False, 0), (True, wire.CELL_ROWS * wire.CELL_COLUMNS)):
        html = snippet_html(site_key=SITE_KEY, page=replace(PAGE, cells=cells))
        assert [tag for tag, _ in Tags(html).seen].count("gl-i") == wanted


def test_the_default_paste_stays_on_the_shops_own_host_and_is_not_frozen() -> None:
    seen = Tags(snippet_html(site_key=SITE_KEY, page=PAGE)).seen
    assert {name: seen[0][1][name] for name in ("rel", "href", "referrerpolicy")} == {
        "rel": "stylesheet",
        "href": f"/g/{SITE_KEY}/checkout",
        "referrerpolicy": "same-origin",
    }
    assert not {"integrity", "crossorigin"} & seen[0][1].keys()
    (held,) = (given for tag, given in seen if tag == "img")
    assert held["src"] == f"/g/hold/{SITE_KEY}/checkout"
    assert (held["alt"], held["loading"]) == ("", "lazy")


def test_optimisers_are_asked_to_leave_link_and_image_alone() -> None:
    """By the marks that the common plugins of shops document for what they must not touch."""
    seen = Tags(snippet_html(site_key=SITE_KEY, page=PAGE)).seen
    assert {"data-noptimize", "data-no-optimize", "data-no-minify"} <= seen[0][1].keys()
    (held,) = (given for tag, given in seen if tag == "img")
    assert held["class"] == "skip-lazy"
    assert held["data-no-lazy"] == "1"


@pytest.mark.parametrize(
    ("base", "integrity", "crossorigin"),
    [
        ("/g", False, None),
        ("/g", True, None),
        ("https://stats.example.com/g", False, None),
        ("https://stats.example.com:8443", True, "anonymous"),
    ],
)
def test_another_host_is_asked_anonymously_only_where_integrity_needs_it(
    base: str, integrity: bool, crossorigin: str | None
) -> None:
    digest = stylesheet(PAGE).integrity if integrity else None
    html = snippet_html(site_key=SITE_KEY, page=PAGE, base=base, integrity=digest)
    link = Tags(html).seen[0][1]
    assert link["href"] == f"{base}/{SITE_KEY}/checkout"
    assert link.get("crossorigin") == crossorigin
    assert link.get("integrity") == digest


def test_a_reference_of_the_shop_is_the_last_part_of_the_address() -> None:
    html = snippet_html(site_key=SITE_KEY, page=PAGE, ref="A1._~-")
    assert Tags(html).seen[0][1]["href"] == f"/g/{SITE_KEY}/checkout/A1._~-"


@pytest.mark.parametrize(
    ("zones", "spare", "slots"),
    [
        ((), 3, 3),
        (FIVE, 3, 8),
        ((Zone(12, "a", "#a"), Zone(4, "b", "#b")), 2, 14),
        ((), 0, 0),
        ((Zone(wire.MAX_ZONE, "a", "#a"),), 5, wire.MAX_ZONE),
    ],
)
def test_there_are_slots_up_to_the_highest_number_and_some_to_spare(
    zones: tuple[Zone, ...], spare: int, slots: int
) -> None:
    tags = Tags(snippet_html(site_key=SITE_KEY, page=page_of(*zones), spare=spare))
    classes = [given["class"] for tag, given in tags.seen if tag == "gl-z"]
    assert classes == [f"gl{number}" for number in range(1, slots + 1)]


def test_each_slot_has_two_clocks_and_a_ratchet_and_the_page_has_its_bands() -> None:
    tags = [tag for tag, _ in Tags(snippet_html(site_key=SITE_KEY, page=PAGE, spare=0)).seen]
    assert (tags.count("gl-h"), tags.count("gl-f")) == (5, 5)
    assert tags.count("gl-p") == tags.count("gl-q") == 5 * wire.PRESSES
    assert tags.count("gl-v") == wire.BANDS


BAD = ['"><script>', "a b", "a/b", "", "é", "a\n", "../x", "a?b", "a#b", "&amp;"]


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_stand_in_the_address_is_refused(bad: str) -> None:
    with pytest.raises(SnippetError, match="site key"):
        snippet_html(site_key=bad, page=PAGE)
    with pytest.raises(SnippetError, match="page slug"):
        snippet_html(site_key=SITE_KEY, page=page_of(slug=bad))
    with pytest.raises(SnippetError, match="reference"):
        snippet_html(site_key=SITE_KEY, page=PAGE, ref=bad)
    with pytest.raises(SnippetError, match="integrity"):
        snippet_html(site_key=SITE_KEY, page=PAGE, integrity=bad)


BAD_BASES = """g / /g/ //stats.example.com/g javascript:x /g?x /g;x https:// https://a.example/g/
https://u:p@a.example/g ftp://a.example /"onload=x /é""".split()


@pytest.mark.parametrize("bad", [*BAD_BASES, "", "/g ", "/g\n"])
def test_a_base_that_is_no_plain_address_is_refused_in_page_and_policy(bad: str) -> None:
    with pytest.raises(SnippetError, match="base"):
        snippet_html(site_key=SITE_KEY, page=PAGE, base=bad)
    with pytest.raises(SnippetError, match="base"):
        wrap_csp(bad)


@pytest.mark.parametrize("spare", [-1, 51])
def test_spare_slots_have_a_limit(spare: int) -> None:
    with pytest.raises(SnippetError, match="spare"):
        snippet_html(site_key=SITE_KEY, page=PAGE, spare=spare)


@pytest.mark.parametrize(
    ("base", "policy"),
    [
        ("/g", "style-src 'self'; img-src 'self'"),
        (
            "https://stats.example.com/g",
            "style-src https://stats.example.com/g/; img-src https://stats.example.com/g/",
        ),
    ],
)
def test_the_hint_for_the_policy_allows_the_sheet_and_its_images(base: str, policy: str) -> None:
    assert wrap_csp(base) == policy
