import asyncio
import io
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.absent import leave_out
from tests.browser.drive import Browser, BrowserError, Unsupported, open_browser
from tests.browser.pages import CELL_PX, CELLS, FAR_Y_PX, PATIENCE_S, TARGET, Counter, serving

CENTRE = ((TARGET[0] + TARGET[2]) // 2, (TARGET[1] + TARGET[3]) // 2)
FIELD = (200, 215)
CHECKBOX = (110, 310)
NOWHERE = (700, 500)


@pytest.fixture(scope="module")
def opened(engine: str) -> Iterator[Browser]:
    with open_browser(engine) as browser:
        yield browser


@pytest.fixture
def counter() -> Iterator[Counter]:
    with serving() as counter:
        yield counter


@pytest.fixture
def page(opened: Browser, counter: Counter) -> Browser:
    """The page just opened, with the pointer on an empty spot of it from the start."""
    opened.viewport(1280, 800)
    opened.move(*NOWHERE)
    opened.goto(counter.url)
    return opened


def eventually(reading: Callable[[], object], wanted: object) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while reading() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return reading() == wanted


def test_the_engine_says_its_name_and_version(page: Browser, engine: str) -> None:
    assert page.name == engine
    assert int(page.version().split(".")[0]) >= 2


def test_a_page_that_forbids_scripts_runs_none_and_can_still_be_read(
    page: Browser, counter: Counter
) -> None:
    assert page.evaluate("({title: document.title, none: null, sum: [1 + 1, 'é']})") == {
        "title": "Counter",
        "none": None,
        "sum": [2, "é"],
    }
    page.move(*CENTRE)
    assert counter.arrives("hover")
    assert "script" not in counter.seen()


def test_an_expression_that_throws_is_an_error(page: Browser) -> None:
    with pytest.raises(BrowserError, match="nosuchthing"):
        page.evaluate("nosuchthing.at.all")


def test_a_page_that_cannot_be_opened_is_an_error(page: Browser) -> None:
    with pytest.raises(BrowserError, match=r"nobody\.invalid"):
        page.goto("http://nobody.invalid/")


def test_the_pointer_hovers_only_where_it_was_moved(page: Browser, counter: Counter) -> None:
    assert "hover" not in counter.seen()
    page.move(*CENTRE)
    assert counter.arrives("hover")
    assert "press" not in counter.seen()


def test_a_path_in_steps_crosses_what_lies_on_it_in_order(page: Browser, counter: Counter) -> None:
    y = 400 + CELL_PX // 2
    page.move(0, y)
    page.move(CELL_PX * len(CELLS) - 1, y, steps=4 * len(CELLS))
    assert counter.arrives(f"c{CELLS[-1]}")
    assert counter.seen() == [f"c{i}" for i in CELLS]


def test_a_button_held_down_is_a_press(page: Browser, counter: Counter) -> None:
    page.move(*CENTRE)
    page.down()
    assert counter.arrives("press")
    page.up()
    assert eventually(lambda: page.evaluate("document.querySelector('#target:active')"), None)


def test_a_click_takes_effect(page: Browser, counter: Counter) -> None:
    page.click(*CHECKBOX)
    assert counter.arrives("checked")


def test_the_wheel_scrolls_by_what_it_is_turned_each_time(page: Browser) -> None:
    for turn_px, wanted_px in ((300, 300), (300, 600), (500, 1100), (-200, 900)):
        page.wheel(turn_px)
        assert eventually(lambda: page.evaluate("scrollY"), wanted_px)


@pytest.mark.parametrize("way", ["wheel", "scroll_to"])
def test_scrolling_brings_what_is_far_down_into_view(
    page: Browser, counter: Counter, way: str
) -> None:
    assert "far" not in counter.seen()
    getattr(page, way)(FAR_Y_PX - 400)
    assert counter.arrives("far")


def test_a_click_focuses_and_typing_fills_a_field(page: Browser, counter: Counter) -> None:
    page.click(*FIELD)
    assert counter.arrives("focus")
    assert "typed" not in counter.seen()
    page.type("Dam 1, Één")
    assert counter.arrives("typed")
    assert page.evaluate("document.querySelector('#field').value") == "Dam 1, Één"


def test_keys_edit_and_walk_and_leave_a_field_invalid(page: Browser, counter: Counter) -> None:
    page.click(*FIELD)
    page.type("x")
    page.key("Backspace")
    page.key("Tab")
    assert counter.arrives("next")
    assert counter.arrives("invalid")
    page.key("Shift+Tab")
    assert eventually(lambda: page.evaluate("document.activeElement.id"), "field")


def test_a_key_nobody_knows_is_refused_by_name(page: Browser) -> None:
    with pytest.raises(BrowserError, match="Tabulator"):
        page.key("Tabulator")


def test_a_box_is_where_the_style_sheet_put_it_however_far_scrolled(page: Browser) -> None:
    assert page.box("#target") == TARGET
    page.scroll_to(1234)
    assert page.evaluate("scrollY") == 1234
    assert page.box("#target") == TARGET


def test_a_box_of_nothing_names_the_selector(page: Browser) -> None:
    with pytest.raises(BrowserError, match=r"#nobody.*check the selector"):
        page.box("#nobody")


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_a_screenshot_is_a_png_of_the_viewport(page: Browser, size: tuple[int, int]) -> None:
    page.viewport(*size)
    assert page.evaluate("[innerWidth, innerHeight]") == list(size)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        assert image.format == "PNG"
        assert image.size == size
        assert image.convert("RGB").getpixel((350, 500)) == (10, 200, 30)


def test_asyncio_can_run_while_a_browser_is_open(page: Browser) -> None:
    async def title() -> str:
        text: str = page.evaluate("document.title")
        return text

    assert asyncio.run(title()) == "Counter"


def test_a_mouse_has_no_finger(page: Browser) -> None:
    with pytest.raises(Unsupported, match="touch=True"):
        page.tap(*CENTRE)


def test_a_finger_taps_on_a_page_that_knows_no_hover(engine: str, counter: Counter) -> None:
    if engine != "chromium":
        with pytest.raises(Unsupported, match="use chromium"), open_browser(engine, touch=True):
            pass
        return
    with open_browser(engine, width=390, height=844, touch=True) as phone:
        phone.goto(counter.url)
        assert counter.arrives("coarse")
        phone.tap(*CHECKBOX)
        assert counter.arrives("checked")


def test_an_engine_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(BrowserError, match="'lynx'; use one of chromium"), open_browser("lynx"):
        pass


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        leave_out("openssl is missing, which writes the certificate: apt-get install openssl")
    directory: Path = tmp_path_factory.mktemp("tls")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context


def test_a_self_signed_certificate_is_accepted_only_if_asked(
    opened: Browser, engine: str, self_signed: ssl.SSLContext
) -> None:
    with serving(self_signed) as shop:
        with pytest.raises(BrowserError):
            opened.goto(shop.url)
        with open_browser(engine, insecure=True) as trusting:
            trusting.goto(shop.url)
            assert trusting.evaluate("document.title") == "Counter"
            trusting.move(*CENTRE)
            assert shop.arrives("hover")
