"""Layouts in the store, and the pictures under them."""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from app.drawing import redraw
from app.drawing.pictures import PictureError, PictureTooLarge, clean_picture
from app.picturing.boxes import FARTHEST_PX, MAX_AREA_PX, clipped
from app.picturing.layouts import (
    Box,
    Layout,
    LayoutBody,
    LayoutError,
    find_layout,
    layouts_of,
    picture,
    put_layout,
)
from app.shops import add_site, find_page, find_site, put_page, put_zones
from app.store import Store
from collector.sites import Page, Site, Zone

pytestmark = pytest.mark.anyio

EMAIL, PAY = Box(1, 20, 100, 370, 140), Box(2, 20, 200, 370, 250)


@pytest.fixture
async def shop(store: Store, now: datetime) -> tuple[Site, Page]:
    """A shop with a checkout of two zones and a cart of none."""
    key = await add_site(store, "Bloemen", now)
    site = await find_site(store, key)
    await put_page(store, site, "cart", now)
    page_id = await put_page(store, site, "checkout", now)
    zones = (Zone(0, "email", "#email", "field"), Zone(0, "pay", "#pay", "pay"))
    await put_zones(store, site, page_id, zones, now)
    site = await find_site(store, key)
    return site, find_page(site, "checkout")


@pytest.fixture
def put(store: Store, shop: tuple[Site, Page], now: datetime) -> Callable[..., Any]:
    """`put_layout` on the shop's checkout: a phone, unless the test says otherwise."""

    async def put(**more: Any) -> int:
        usual: dict[str, Any] = {
            "width_px": 390,
            "height_px": 800,
            "pointer": "coarse",
            "boxes": (EMAIL, PAY),
            "picture": None,
            "source": "capture",
            "now": now,
        }
        return await put_layout(store, *shop, **(usual | more))

    return put


def image_bytes(size: tuple[int, int] = (390, 800), kind: str = "PNG", **more: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **more)
    return written.getvalue()


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png), formats=("PNG",))


async def version_of(store: Store, site: Site) -> int:
    return (await find_site(store, site.public_key)).data_version


# Layouts ------------------------------------------------------------------------------------------


async def test_a_layout_comes_back_as_it_was_put(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    menu = Box(2, 0.25, 10.5, 389.75, 60, "fixed")
    number = await put(boxes=(menu, EMAIL), picture=image_bytes(), language=1, variant=2)
    (found,) = await layouts_of(store, site, page.page_id)
    assert found == Layout(
        number, page.page_id, 390, 800, 1, 1, 2, "coarse", now, "capture", found.picture_hash,
        (EMAIL, menu),
    )  # fmt: skip
    assert found.picture_hash is not None
    png = await picture(store, site.site_id, found.picture_hash)
    assert png is not None
    assert opened(png).size == (390, 800)
    assert await picture(store, site.site_id, b"another") is None
    assert await picture(store, site.site_id + 1, found.picture_hash) is None


async def test_a_layout_that_looks_the_same_is_no_new_version(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    first = await put(picture=image_bytes())
    data_version = await version_of(store, site)
    again = await put(picture=image_bytes(), source="api", now=now + timedelta(days=1))
    assert again == first
    assert await version_of(store, site) == data_version
    assert len(await layouts_of(store, site, page.page_id)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"boxes": (EMAIL,)},
        {"boxes": (EMAIL, Box(2, 20, 200, 370, 251))},
        {"boxes": (EMAIL, Box(2, 20, 200, 370, 250, "inner"))},
        {"height_px": 801},
        {"width_px": 400},
        {"picture": image_bytes()},
    ],
    ids=lambda change: " ".join(change),
)
async def test_what_changed_is_a_version_of_its_own(
    store: Store,
    shop: tuple[Site, Page],
    put: Callable[..., Any],
    now: datetime,
    change: dict[str, Any],
) -> None:
    site, page = shop
    before = await put()
    data_version = await version_of(store, site)
    later = now + timedelta(days=1)
    after = await put(now=later, **change)
    found = await layouts_of(store, site, page.page_id)
    assert [layout.layout_id for layout in found] == [after, before]
    assert [layout.valid_from for layout in found] == [later, now]
    assert await version_of(store, site) == data_version + 1


async def test_a_clock_that_is_set_back_hides_no_version(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    numbers = [await put(height_px=800 + n, now=now - timedelta(hours=n)) for n in range(3)]
    found = await layouts_of(store, site, page.page_id)
    assert [layout.layout_id for layout in found] == numbers[::-1]
    present = await find_layout(store, site, page.page_id)
    assert present is not None
    assert present.height_px == 802


async def test_boxes_are_cut_to_the_page_and_left_out_beside_it(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any]
) -> None:
    site, page = shop
    await put(boxes=(Box(1, -9999, 0, -9000, 40), Box(2, -10, 700, 500, 900)))
    (found,) = await layouts_of(store, site, page.page_id)
    assert found.boxes == (Box(2, 0, 700, 390, 800),)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"boxes": (Box(7, 0, 0, 9, 9),)}, "page 'checkout' has no zone 7; its zones: 1, 2"),
        ({"boxes": (EMAIL, EMAIL)}, "zone 1 has two boxes"),
        ({"boxes": (Box(1, 0, math.nan, 9, 9),)}, "must be finite"),
        ({"boxes": (Box(1, 0, 0, math.inf, 9),)}, "must be finite"),
        ({"boxes": (Box(1, 0, 0, FARTHEST_PX + 1, 9),)}, "within 1000000 px"),
        ({"boxes": (Box(1, 9, 0, 0, 9),)}, "ends before it begins"),
        ({"boxes": (Box(1, 0, 0, 9, 9, "sticky"),)}, "placement must be one of"),  # type: ignore[arg-type]
        ({"width_px": 4001}, "1 to 4000 px wide"),
        ({"height_px": 0}, "got 390 x 0"),
        ({"width_px": 2000, "height_px": 20_001}, "at most 20000 px of its height"),
        ({"pointer": "finger"}, "pointer must be one of fine, coarse, got 'finger'"),
        ({"source": "guess"}, "source must be one of"),
        ({"language": 16}, "language must be 0 to 15, got 16"),
        ({"variant": -1}, "variant must be 0 to 255, got -1"),
    ],
)  # fmt: skip
async def test_what_is_no_layout_is_refused_and_nothing_kept(
    store: Store,
    shop: tuple[Site, Page],
    put: Callable[..., Any],
    wrong: dict[str, Any],
    told: str,
) -> None:
    site, page = shop
    data_version = await version_of(store, site)
    with pytest.raises(LayoutError, match=told):
        await put(**({"picture": image_bytes()} | wrong))
    assert await layouts_of(store, site, page.page_id) == ()
    assert await store.fetchval("SELECT count(*) FROM picture") == 0
    assert await version_of(store, site) == data_version


async def test_a_layout_may_hold_zones_that_have_ended(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    later = now + timedelta(days=1)
    await put_zones(store, site, page.page_id, (Zone(0, "email", "#email", "field"),), later)
    await put(boxes=(EMAIL, PAY), now=later)
    (found,) = await layouts_of(store, site, page.page_id)
    assert found.boxes == (EMAIL, PAY)


async def test_a_picture_of_another_shape_is_refused_and_no_layout_kept(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any]
) -> None:
    site, page = shop
    with pytest.raises(PictureError, match="does not show a page of 390 x 800 px"):
        await put(picture=image_bytes((390, 1000)))
    assert await layouts_of(store, site, page.page_id) == ()


@pytest.mark.parametrize(
    ("asked", "width_px"),
    [
        ({"band": 1, "pointer": "coarse"}, 390),
        ({"band": 2, "pointer": "coarse"}, 390),
        ({"band": 3, "pointer": "coarse"}, 1000),
        ({"band": 5, "pointer": "coarse"}, 1000),
        ({"band": 1, "pointer": "fine"}, 1280),
        ({"band": 5}, 1280),
        ({"band": 3}, 1000),
        ({"pointer": "fine"}, 1280),
        ({"band": 0}, 1000),
        ({}, 1000),
    ],
)
async def test_the_nearest_band_of_the_same_pointer_is_found(
    store: Store,
    shop: tuple[Site, Page],
    put: Callable[..., Any],
    now: datetime,
    asked: dict[str, Any],
    width_px: int,
) -> None:
    site, page = shop
    for age, (width, pointer) in enumerate([(1000, "coarse"), (390, "coarse"), (1280, "fine")]):
        await put(width_px=width, pointer=pointer, now=now - timedelta(days=age))
    found = await find_layout(store, site, page.page_id, **asked)
    assert found is not None
    assert found.width_px == width_px
    assert found.boxes


async def test_of_two_bands_as_near_the_narrower_is_found(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    await put(width_px=390)
    await put(width_px=800, now=now + timedelta(days=1))
    found = await find_layout(store, site, page.page_id, band=2, pointer="coarse")
    assert found is not None
    assert found.width_px == 390


async def test_variant_and_language_are_preferred_in_this_order(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any]
) -> None:
    site, page = shop
    for language, variant in ((0, 0), (1, 0), (0, 2)):
        await put(language=language, variant=variant)

    async def found(**asked: Any) -> tuple[int, int]:
        layout = await find_layout(store, site, page.page_id, **asked)
        assert layout is not None
        return layout.language, layout.variant

    assert await found() == (0, 0)
    assert await found(language=1) == (1, 0)
    assert await found(language=1, variant=2) == (0, 2)
    assert await found(language=3, variant=9) == (0, 0)


async def test_no_layout_of_the_pointer_is_none(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any]
) -> None:
    site, page = shop
    await put()
    assert await find_layout(store, site, page.page_id, band=1, pointer="fine") is None
    cart = find_page(site, "cart")
    assert await find_layout(store, site, cart.page_id) is None


async def test_an_older_version_is_found_by_its_number_on_its_own_page(
    store: Store, shop: tuple[Site, Page], put: Callable[..., Any], now: datetime
) -> None:
    site, page = shop
    old = await put()
    new = await put(height_px=900, now=now + timedelta(days=1))
    for number in (old, new):
        found = await find_layout(store, site, page.page_id, layout_id=number, pointer="fine")
        assert found is not None
        assert found.layout_id == number
    cart = find_page(site, "cart")
    assert await find_layout(store, site, cart.page_id, layout_id=old) is None
    assert await find_layout(store, site, page.page_id, layout_id=old ^ 1) is None


_edges = st.floats(-FARTHEST_PX, FARTHEST_PX)


@given(_edges, _edges, _edges, _edges)
def test_a_cut_box_lies_on_the_page_and_cutting_it_again_changes_nothing(
    x0_px: float, y0_px: float, x1_px: float, y1_px: float
) -> None:
    box = clipped(Box(1, x0_px, y0_px, x1_px, y1_px), 390, 800)
    if box is not None:
        assert 0 <= box.x0_px < box.x1_px <= 390
        assert 0 <= box.y0_px < box.y1_px <= 800
        assert clipped(box, 390, 800) == box


# The body of the write API ------------------------------------------------------------------------


BODY: dict[str, Any] = {
    "width_px": 390,
    "height_px": 800,
    "pointer": "coarse",
    "boxes": [{"zone": 1, "x0_px": 20, "y0_px": 100.5, "x1_px": 370, "y1_px": 140}],
    "picture": base64.b64encode(b"any bytes").decode(),
}


def test_a_body_gives_its_boxes_and_its_picture() -> None:
    body = LayoutBody.model_validate(BODY)
    assert body.layout_boxes() == (Box(1, 20, 100.5, 370, 140, "flow"),)
    assert body.decoded_picture() == b"any bytes"
    assert LayoutBody.model_validate(BODY | {"picture": None}).decoded_picture() is None


@pytest.mark.parametrize("picture", ["a", "data:image/png;base64,AAAA", "AA AA", "AA\nAA", "é"])
def test_a_picture_that_is_no_base64_is_refused(picture: str) -> None:
    body = LayoutBody.model_validate(BODY | {"picture": picture})
    with pytest.raises(PictureError, match="picture is not base64"):
        body.decoded_picture()


@pytest.mark.parametrize(
    "wrong",
    [
        {"width_px": "390"},
        {"width_px": 390.5},
        {"width_px": True},
        {"width_px": 0},
        {"height_px": 32_001},
        {"pointer": "none"},
        {"boxes": None},
        {"boxes": [BODY["boxes"][0] | {"zone": 1000}]},
        {"boxes": [BODY["boxes"][0] | {"zone": "1"}]},
        {"boxes": [BODY["boxes"][0] | {"x0_px": math.nan}]},
        {"boxes": [BODY["boxes"][0] | {"x0_px": 1e9}]},
        {"boxes": [BODY["boxes"][0] | {"placement": "sticky"}]},
        {"boxes": [BODY["boxes"][0] | {"colour": "red"}]},
        {"boxes": [BODY["boxes"][0]] * 1000},
        {"picture": "A" * (redraw.MAX_BYTES * 4 // 3 + 5)},
        {"source": "capture"},
        {"language": 16},
        {"variant": -1},
    ],
    ids=str,
)
def test_a_body_with_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LayoutBody.model_validate(BODY | wrong)


# Pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_three_formats_become_a_png_of_the_same_size(kind: str) -> None:
    png, width_px, height_px = clean_picture(image_bytes((30, 20), kind))
    assert (width_px, height_px) == opened(png).size == (30, 20)


def test_few_colours_are_kept_exactly() -> None:
    image = Image.new("RGB", (64, 64))
    image.putdata([(n % 256, n % 256, 255 - n % 256) for n in range(64 * 64)])
    written = io.BytesIO()
    image.save(written, "PNG")
    png, _, _ = clean_picture(written.getvalue())
    kept = opened(png)
    assert kept.mode == "P"
    assert kept.convert("RGB").tobytes() == image.tobytes()


def test_many_colours_are_kept_exactly_while_they_are_small() -> None:
    image = Image.effect_noise((80, 80), 90)
    many = Image.merge("RGB", (image, image.rotate(90), image.rotate(180)))
    written = io.BytesIO()
    many.save(written, "PNG")
    png, _, _ = clean_picture(written.getvalue())
    assert opened(png).mode == "RGB"
    assert opened(png).tobytes() == many.tobytes()


def test_a_page_full_of_photographs_is_reduced_to_a_palette() -> None:
    grain = Image.effect_noise((1400, 1200), 60)
    photograph = Image.merge("RGB", (grain, grain.rotate(90, expand=False), grain.rotate(180)))
    written = io.BytesIO()
    photograph.save(written, "JPEG", quality=90)
    png, _, _ = clean_picture(written.getvalue())
    assert opened(png).mode == "P"
    assert len(png) <= redraw.MAX_TRUE_COLOUR_BYTES


def test_a_cleaned_picture_stays_the_same_when_it_is_cleaned_again() -> None:
    once, _, _ = clean_picture(image_bytes(kind="WEBP"))
    assert clean_picture(once)[0] == once


def test_what_was_transparent_is_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(written, "PNG")
    assert opened(clean_picture(written.getvalue())[0]).convert("RGB").getpixel((1, 1)) == (
        255,
        255,
        255,
    )


def test_a_photograph_stands_upright_and_its_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "the shop's back door"
    raw = image_bytes((40, 20), "JPEG", exif=exif.tobytes())
    png, width_px, height_px = clean_picture(raw)
    assert (width_px, height_px) == (20, 40)
    assert b"back door" in raw
    assert b"back door" not in png


def test_text_and_what_follows_the_image_do_not_go_on() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    raw = image_bytes(pnginfo=told) + b"PK\x03\x04 another file"
    png, _, _ = clean_picture(raw)
    assert b"script" not in png
    assert b"another file" not in png
    assert sorted(opened(png).info) == []


def test_a_picture_of_two_device_pixels_is_scaled_to_css_pixels() -> None:
    png, width_px, height_px = clean_picture(image_bytes((780, 1601)), (390, 800))
    assert (width_px, height_px) == opened(png).size == (390, 800)


def header_that_claims(width_px: int, height_px: int) -> bytes:
    """A PNG of a few bytes whose header says it is larger."""
    raw = bytearray(image_bytes((8, 8)))
    raw[16:24] = width_px.to_bytes(4, "big") + height_px.to_bytes(4, "big")
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    return bytes(raw)


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    written = io.BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:])
    return written.getvalue()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read"),
        (image_bytes(kind="GIF"), "cannot be read"),
        (image_bytes(kind="TIFF"), "cannot be read"),
        (image_bytes(kind="BMP"), "cannot be read"),
        (image_bytes()[:200], "cannot be read"),
        (image_bytes(kind="JPEG")[:900], "cannot be read"),
        (header_that_claims(0, 0), "cannot be read"),
        (header_that_claims(80, 80), "cannot be read"),
        (header_that_claims(13_000, 13_000), "13000 x 13000 px, at most 30 million"),
        (
            header_that_claims(2**31 - 1, 2**31 - 1),
            "2147483647 px, at most 30 million|cannot be read",
        ),
        (header_that_claims(6_000, 6_000), r"\Athe picture is 6000 x 6000 px, at most 30"),
        (moving("PNG"), "the picture moves"),
        (moving("WEBP"), "the picture moves"),
    ],
    ids=range(14),
)
def test_what_is_no_usable_picture_is_refused_with_a_remedy(raw: bytes, told: str) -> None:
    with pytest.raises(PictureError, match=told) as refused:
        clean_picture(raw)
    assert ": give a" in str(refused.value)


def test_too_many_bytes_are_refused_before_they_are_read() -> None:
    with pytest.raises(PictureTooLarge, match="at most 8 MB"):
        clean_picture(b"\0" * (redraw.MAX_BYTES + 1))


def test_a_picture_as_large_as_allowed_fits_in_the_memory_there_is() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (1200, 25_000), (0, 128, 128, 200)).save(written, "PNG", compress_level=1)
    png, width_px, height_px = clean_picture(written.getvalue(), (1200, 25_000))
    assert (width_px, height_px) == (1200, 25_000)
    assert 1200 * 25_000 == redraw.MAX_PX < MAX_AREA_PX
    assert len(png) < 200_000


@pytest.mark.parametrize(
    ("limit", "least"), [("MEMORY_BYTES", 300 * 2**20), ("CPU_S", 0)], ids=["memory", "time"]
)
def test_a_picture_that_takes_more_than_there_is_for_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, least: int
) -> None:
    monkeypatch.setattr(redraw, limit, least)
    with pytest.raises(PictureError, match="more memory or time"):
        clean_picture(image_bytes((5_000, 6_000)))


def test_the_process_that_reads_pictures_knows_no_setting_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import os, sys\n"
        "sys.stderr.write(' '.join(n for n in os.environ if n.startswith('GLOED_')) or 'none')\n"
        f"sys.exit({redraw.REFUSED})\n"
    )
    monkeypatch.setenv("GLOED_SECRET", "0123456789abcdef0123456789abcdef")
    monkeypatch.setattr(redraw, "__file__", str(spy))
    with pytest.raises(PictureError, match=r"\Anone\Z"):
        clean_picture(image_bytes())
