"""A page's pictures: which there are, one more by upload, zones drawn by two presses."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import Session
from app.access.session import COOKIE
from app.pages.setting_up.uploads import MOST_BYTES
from app.picturing.layouts import Layout, layouts_of
from app.shops import find_site
from collector.sites import Site
from tests.build import make_shop, page_of
from tests.conftest import NOON
from tests.pages.conftest import put_picture
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running

FORM = "multipart/form-data; boundary=edge"


@pytest.fixture
def tried(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    return site


def picture(width_px: int = 390, height_px: int = 800, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width_px, height_px), "linen").save(out, kind)
    return out.getvalue()


def pages(site: Site) -> str:
    return f"/sites/{site.public_key}/pages/shipping/layouts"


def kept(gloed: Running, site: Site) -> tuple[Layout, ...]:
    return gloed.do(layouts_of(gloed.store, site, page_of(site, "shipping").page_id))


def send(designer: httpx.Client, site: Site, raw: bytes | None, **fields: str) -> httpx.Response:
    files = {} if raw is None else {"picture": ("../../x\0<b>.svg", raw, "text/html")}
    told = {"width": "390", **fields}
    return designer.post(pages(site), files=files or {"no": b""}, data=told, headers=FROM_OURS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_upload_of_each_format_is_what_the_page_looks_like_from_now_on(
    gloed: Running, designer: httpx.Client, tried: Site, kind: str
) -> None:
    answer = send(designer, tried, picture(780, 1600, kind), width="390")
    assert answer.status_code == 303, answer.text
    (layout,) = kept(gloed, tried)
    assert answer.headers["location"].endswith(f"/layouts/{layout.name}")
    assert (layout.width_px, layout.height_px) == (390, 800), "scaled to the window's width"
    assert (layout.pointer, layout.source, layout.boxes) == ("coarse", "upload", ())
    shown = designer.get(f"{pages(tried)}/{layout.name}/picture")
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (390, 800)


def test_the_present_boxes_are_kept_at_the_same_width_if_that_is_asked_for(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    put_picture(gloed, tried)
    assert send(designer, tried, picture(390, 900), keep="on").status_code == 303
    newest, before = kept(gloed, tried)
    assert [box.number for box in newest.boxes] == [1, 2, 3]
    assert newest.boxes == before.boxes
    assert newest.height_px == 900
    assert send(designer, tried, picture(360, 900), width="360", keep="on").status_code == 303
    assert kept(gloed, tried)[0].boxes == (), "boxes do not grow with the window"


def test_versions_are_listed_with_their_dates_and_each_leads_to_its_map(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    put_picture(gloed, tried)
    send(designer, tried, picture(390, 900))
    send(designer, tried, picture(1280, 700), width="1280", language="dutch", variant="2")
    sheet = Sheet(designer.get(pages(tried)).text)
    assert [head.text for head in sheet.all("h3")] == [
        "390 × 900 px, touch",
        "1,280 × 700 px, mouse, Dutch, variant 2",
    ]
    assert "1 earlier version" in sheet.text
    assert "18 Nov 2026 13:00" in sheet.text
    assert "captured: 390 × 800 px" in sheet.text.replace("from 15 Nov 2026 13:00, ", "")
    for layout in kept(gloed, tried):
        (linked,) = {
            link.attributes["href"]
            for link in sheet.all("a")
            if link.attributes["href"].endswith(f"?layout={layout.name}")
        }
        shown = designer.get(f"/sites/{tried.public_key}/pages/x/{linked}")
        assert shown.status_code == 200
        assert layout.name in Sheet(shown.text).chosen()["layout"]


def test_a_page_without_a_picture_says_how_to_get_one(designer: httpx.Client, tried: Site) -> None:
    text = Sheet(designer.get(pages(tried)).text).text
    assert "No picture yet" in text
    assert f"gloed capture https://… --site {tried.public_key} --page shipping" in text


def bomb(width_px: int, height_px: int) -> bytes:
    """Kilobytes that want to become many megapixels."""
    out = io.BytesIO()
    Image.new("1", (width_px, height_px)).save(out, "PNG")
    return out.getvalue()


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    first = Image.new("RGB", (390, 800), "red")
    first.save(out, kind, save_all=True, append_images=[Image.new("RGB", (390, 800), "blue")])
    return out.getvalue()


PNG = picture()
BAD: list[tuple[str, bytes | None, dict[str, str], int, str]] = [
    ("nothing", None, {}, 422, "Choose a picture"),
    ("empty", b"", {}, 422, "Choose a picture"),
    ("too many bytes", PNG + bytes(9 * 2**20), {}, 413, "more than 8 MB"),
    ("too many pixels", bomb(13_000, 13_000), {}, 422, "30 million pixels"),
    ("cut off", PNG[:-200], {}, 422, "cannot be read"),
    ("of no size", PNG[:16] + bytes(8) + PNG[24:], {}, 422, "cannot be read"),
    ("of another size than told", PNG[:16] + b"\0\0\x13\x88" + PNG[20:], {}, 422, "cannot be read"),
    ("an animated PNG", moving("PNG"), {}, 422, "moves"),
    ("an animated WebP", moving("WEBP"), {}, 422, "moves"),
    ("a GIF", picture(kind="GIF"), {}, 422, "PNG, JPEG or WebP"),
    ("a TIFF", picture(kind="TIFF"), {}, 422, "PNG, JPEG or WebP"),
    ("an EPS", picture(kind="EPS"), {}, 422, "PNG, JPEG or WebP"),
    ("a PDF", picture(kind="PDF"), {}, 422, "PNG, JPEG or WebP"),
    ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 422, "PNG, JPEG or WebP"),
    ("a page", b"<!doctype html><script>alert(1)</script>", {}, 422, "PNG, JPEG or WebP"),
    ("without a width", PNG, {"width": ""}, 422, "whole number of px"),
    ("at no width", PNG, {"width": "0"}, 422, "whole number of px"),
    ("wider than drawn", PNG, {"width": "4001"}, 422, "whole number of px"),
    ("at half a px", PNG, {"width": "390.5"}, 422, "whole number of px"),
    ("of no variant", PNG, {"variant": "256"}, 422, "0 to 255"),
    ("higher than drawn", picture(1, 1000), {"width": "33"}, 422, "32000"),
]
"""What no layout can be made of, the status it is answered with, and a part of what is said."""


def test_a_picture_that_cannot_be_used_is_refused_beside_its_field(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    for case, raw, fields, status, told in BAD:
        answer = send(designer, tried, raw, **fields)
        assert answer.status_code == status, case
        sheet = Sheet(answer.text)
        (said,) = [one.text for one in sheet.all("p") if one.attributes.get("class") == "fault"]
        assert told in said, case
        (wrong,) = [one for one in sheet.all("input") if one.attributes.get("aria-invalid")]
        name = wrong.attributes["name"]
        assert wrong.attributes["aria-describedby"] == f"fault-{name}", case
    assert kept(gloed, tried) == ()


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


FILE = part("picture", PNG, '; filename="a.png"')
WIDTH = part("width", b"390")
MALFORMED: list[tuple[str, str, bytes, int]] = [
    ("no boundary", "multipart/form-data", FILE, 415),
    ("a boundary too long", "multipart/form-data; boundary=" + "e" * 71, FILE, 415),
    ("another form", "application/x-www-form-urlencoded", b"width=390", 415),
    ("no type", "", FILE, 415),
    ("without an end", FORM, WIDTH + FILE, 400),
    ("cut within the file", FORM, WIDTH + FILE[:-400], 400),
    ("another boundary", FORM, WIDTH.replace(b"edge", b"knee") + b"--knee--\r\n", 400),
    ("two files", FORM, FILE + FILE + b"--edge--\r\n", 400),
    ("a text of 12 MB", FORM, part("width", b"9" * 12_000_000) + b"--edge--\r\n", 413),
    ("a text of 5 kB", FORM, part("width", b"9" * 5_000) + b"--edge--\r\n", 400),
    ("a thousand fields", FORM, b"".join(part(f"f{n}", b"") for n in range(1000)), 400),
    ("headers without end", FORM, b"--edge\r\n" + b"A: b\r\n" * 100_000, 400),
    ("a header without end", FORM, b"--edge\r\n" + b"A" * 1_000_000, 400),
    ("a part without a name", FORM, b"--edge\r\nA: b\r\n\r\nx\r\n--edge--\r\n", 400),
]


def test_a_form_that_cannot_be_read_is_refused(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    for case, media, body, status in MALFORMED:
        headers = {**FROM_OURS, "content-type": media}
        answer = designer.post(pages(tried), content=body, headers=headers)
        assert answer.status_code == status, case
        assert len(answer.content) < 20_000, case
    assert kept(gloed, tried) == ()


def test_a_body_without_a_length_is_read_to_the_limit_alone(
    designer: httpx.Client, tried: Site
) -> None:
    sent: list[int] = []

    def endless() -> object:
        yield b'--edge\r\nContent-Disposition: form-data; name="p"; filename="p"\r\n\r\n'
        for _ in range(4 * MOST_BYTES // 2**16):
            sent.append(2**16)
            yield bytes(2**16)

    headers = {**FROM_OURS, "content-type": FORM}
    try:
        answer = designer.post(pages(tried), content=endless(), headers=headers)  # type: ignore[arg-type]
    except httpx.TransportError:
        pass  # the connection may be closed before the client reads why
    else:
        assert answer.status_code == 413
    assert designer.get(pages(tried)).status_code == 200


def test_a_polyglot_is_redrawn_and_its_name_is_never_used(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    assert send(designer, tried, PNG + b"<script>alert(1)</script>").status_code == 303
    (layout,) = kept(gloed, tried)
    shown = designer.get(f"{pages(tried)}/{layout.name}/picture")
    assert b"script" not in shown.content
    assert "nosniff" in shown.headers["x-content-type-options"]
    assert "x\0" not in designer.get(pages(tried)).text
    assert "../../x" not in designer.get(pages(tried)).text


def board(gloed: Running, designer: httpx.Client, site: Site) -> str:
    """The address of a picture without zones."""
    assert send(designer, site, picture()).status_code == 303
    return f"{pages(site)}/{kept(gloed, site)[0].name}"


def hidden(sheet: Sheet) -> dict[str, str]:
    fields = [one.attributes for one in sheet.all("input", type="hidden")]
    return {one["name"]: one["value"] for one in fields if one["name"] in ("from", "to")}


def test_two_presses_and_a_name_make_a_zone_without_any_script(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    (image,) = Sheet(designer.get(here).text).all("input", type="image")
    size = image.attributes["width"], image.attributes["height"]
    assert size == ("390", "800"), "shown at its own size: what is sent are px of the page"
    once = Sheet(designer.get(here, params={"at.x": "370", "at.y": "250"}).text)
    assert hidden(once) == {"from": "370,250"}
    told = {"from": "370,250", "at.x": "20", "at.y": "200"}
    twice = Sheet(designer.get(here, params=told).text)
    assert hidden(twice) == {"from": "370,250", "to": "20,200"}
    assert "Which zone is it?" in twice.text
    assert kept(gloed, tried)[0].boxes == (), "nothing is kept before it is named"
    form = {**hidden(twice), "do": "add", "zone": "2", "placement": "fixed"}
    assert designer.post(here, data=form, headers=FROM_OURS).status_code == 303
    (box,) = kept(gloed, tried)[0].boxes
    assert (box.number, box.placement, box.edges_px) == (2, "fixed", (20, 200, 370, 250))
    assert "verzendkosten" in Sheet(designer.get(here).text).rows()[0][0]


def test_a_zone_can_be_named_for_the_first_time_where_it_is_drawn(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    form = {"do": "add", "from": "1,2", "to": "30,40", "zone": "new"}
    wanted = {**form, "name": "Kortingscode", "selector": "#coupon", "role": "field"}
    assert designer.post(here, data=wanted, headers=FROM_OURS).status_code == 303
    site = gloed.do(find_site(gloed.store, tried.public_key))
    zone = site.pages["shipping"].zones[-1]
    assert (zone.number, zone.name, zone.selector, zone.role) == (
        4,
        "Kortingscode",
        "#coupon",
        "field",
    )
    assert [box.number for box in kept(gloed, tried)[0].boxes] == [4]


def test_edges_can_be_typed_and_a_zone_taken_out_again(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    typed = {"do": "add", "zone": "1", "x0": "20", "y0": "100", "x1": "9000", "y1": "142"}
    assert designer.post(here, data=typed, headers=FROM_OURS).status_code == 303
    assert kept(gloed, tried)[0].boxes[0].edges_px == (20, 100, 390, 142), "cut to the page"
    again = {**typed, "x1": "300"}
    assert designer.post(here, data=again, headers=FROM_OURS).status_code == 303
    assert kept(gloed, tried)[0].boxes[0].edges_px == (20, 100, 300, 142)
    designer.post(here, data={"do": "remove", "number": "1"}, headers=FROM_OURS)
    (layout,) = kept(gloed, tried)
    assert layout.boxes == (), "and all of it was one version: the page did not change"


def test_all_zones_can_be_sent_as_json(gloed: Running, designer: httpx.Client, tried: Site) -> None:
    here = board(gloed, designer, tried)
    boxes: list[dict[str, Any]] = [
        {"zone": 1, "x0_px": 20, "y0_px": 100.5, "x1_px": 370, "y1_px": 142},
        {"zone": 3, "x0_px": 0, "y0_px": 0, "x1_px": 9, "y1_px": 9, "placement": "inner"},
    ]
    form = {"do": "replace", "json": json.dumps(boxes)}
    assert designer.post(here, data=form, headers=FROM_OURS).status_code == 303
    assert [box.number for box in kept(gloed, tried)[0].boxes] == [1, 3]
    (area,) = Sheet(designer.get(here).text).all("textarea")
    told = json.loads(area.text)
    assert told == [{**box, "placement": box.get("placement", "flow")} for box in boxes]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"do": "add", "zone": "1"}, "Press two opposite corners first"),
    ({"do": "add", "zone": "1", "from": "5,5", "to": "6,90"}, "closer than 4 px"),
    ({"do": "add", "zone": "9", "from": "5,5", "to": "60,90"}, "Choose a zone"),
    ({"do": "add", "zone": "1", "from": "5,5", "to": "60,90", "placement": "up"}, "how the zone"),
    ({"do": "add", "zone": "new", "from": "5,5", "to": "60,90"}, "Give a name"),
    (
        {"do": "add", "zone": "new", "name": "verder", "from": "5,5", "to": "60,90"},
        "no other zone",
    ),
    (
        {
            "do": "add",
            "zone": "new",
            "name": "x",
            "selector": "a:visited",
            "from": "5,5",
            "to": "60,90",
        },
        "selector",
    ),
    ({"do": "add", "zone": "new", "name": "x", "role": "?", "from": "5,5", "to": "60,90"}, "what"),
    ({"do": "replace", "json": "{"}, "no JSON"),
    ({"do": "replace", "json": "[" * 20_000}, "no JSON"),
    ({"do": "replace", "json": '[{"zone": 1}]'}, "0/x0_px"),
    (
        {"do": "replace", "json": '[{"zone":7,"x0_px":1,"y0_px":1,"x1_px":9,"y1_px":9}]'},
        "no zone 7",
    ),
    ({"do": "burn"}, "nothing that can be done"),
]


def test_what_cannot_be_drawn_is_said_and_changes_nothing(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    for form, told in WRONG:
        answer = designer.post(here, data=form, headers=FROM_OURS)
        assert answer.status_code == 422, form
        assert told in Sheet(answer.text).text, form
        assert "Nothing was changed" in answer.text
        assert kept(gloed, tried)[0].boxes == ()
    site = gloed.do(find_site(gloed.store, tried.public_key))
    assert len(site.pages["shipping"].zones) == 3


def test_corners_that_cannot_be_read_are_as_if_nothing_was_pressed(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    for query in (
        {"at.x": "x", "at.y": "1"},
        {"at.x": "-1", "at.y": "1"},
        {"from": "1"},
        {"to": "5,5"},
        {"from": "1,2,3", "at.x": "99999999999"},
    ):
        sheet = Sheet(designer.get(here, params=query).text)
        assert hidden(sheet) == {}, query
        assert "Draw a zone by two presses" in sheet.text


def test_a_picture_that_was_thrown_away_is_gone_with_its_zones(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    put_picture(gloed, tried)
    here = board(gloed, designer, tried)
    answer = designer.post(here, data={"do": "drop"}, headers=FROM_OURS)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/pages/shipping/layouts")
    (before,) = kept(gloed, tried)
    assert len(before.boxes) == 3
    assert designer.get(here).status_code == 404
    count = "SELECT count(*) FROM picture"
    assert gloed.do(gloed.store.fetchval(count)) == 1


def test_readers_look_and_change_nothing(gloed: Running, tried: Site) -> None:
    put_picture(gloed, tried)
    number = gloed.do(add_account(gloed.store, "anna", NOON))
    gloed.do(put_role(gloed.store, "anna", tried, "reader"))
    account = gloed.do(find_account(gloed.store, number))
    assert account is not None
    cookie = gloed.context.signer.cookie(Session(number, account.sessions), NOON)
    here = f"{pages(tried)}/{kept(gloed, tried)[0].name}"
    with httpx.Client(base_url=gloed.url, cookies={COOKIE: cookie}) as anna:
        for path in (pages(tried), here):
            shown = anna.get(path)
            assert shown.status_code == 200
            assert not Sheet(shown.text).all("form", method="post", enctype="multipart/form-data")
            assert not Sheet(shown.text).all("button", **{"class": "quiet"})[1:], "but signing out"
        drop = anna.post(here, data={"do": "drop"}, headers=FROM_OURS)
        assert drop.status_code == 403
        assert "Your role for this shop" in drop.text
        assert send(anna, tried, picture()).status_code == 403
    assert len(kept(gloed, tried)) == 1


def test_a_form_that_stood_elsewhere_changes_nothing(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    for said in ("cross-site", "same-site", "none"):
        headers = {"sec-fetch-site": said}
        assert designer.post(here, data={"do": "drop"}, headers=headers).status_code == 403
        answer = designer.post(pages(tried), files={"picture": picture()}, headers=headers)
        assert answer.status_code == 403
    assert len(kept(gloed, tried)) == 1


def test_no_form_of_these_pages_changes_anything_by_a_link(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    here = board(gloed, designer, tried)
    designer.get(here, params={"do": "drop"})
    assert len(kept(gloed, tried)) == 1
