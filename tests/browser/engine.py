"""What every engine's driver shares: errors, how a page is read, and closing in reverse order."""

import json
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A cold browser on a busy two-core machine needs seconds; past a minute it is not coming.
PATIENCE_S = 60.0

Box = tuple[float, float, float, float]


class BrowserError(Exception):
    """A browser did not start, or refused what it was told."""


class Unsupported(BrowserError):
    """This engine cannot be driven that way."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a browser is opened; sizes are those of the page's viewport in CSS pixels.

    scripts    whether pages may run any; what a test evaluates runs all the same
    downloads  a directory that is there, in which whatever is downloaded lies under its own name
    """

    width_px: int
    height_px: int
    touch: bool
    insecure: bool
    scripts: bool = True
    downloads: Path | None = None


class Engine(ABC):
    """The half of `drive.Browser` that is the same for all engines.

    `closing` holds what the engine started. A constructor fills a stack of its own and hands it
    over complete, so a start that fails half-way undoes its first half.
    """

    name: str

    def __init__(self, name: str, closing: ExitStack) -> None:
        self.name = name
        self._closing = closing

    @abstractmethod
    def evaluate(self, js: str) -> Any: ...

    def scroll_to(self, y: float) -> None:
        self.evaluate(f"window.scrollTo({{left: scrollX, top: {y}, behavior: 'instant'}})")

    def box(self, selector: str) -> Box:
        found = self.evaluate(
            f"(r => r && [r.left + scrollX, r.top + scrollY,"
            f" r.right + scrollX, r.bottom + scrollY])"
            f"(document.querySelector({json.dumps(selector)})?.getBoundingClientRect())"
        )
        if found is None:
            raise BrowserError(
                f"no element matches {selector!r} on {self.evaluate('location.href')}; "
                f"check the selector, or that the page has loaded"
            )
        x0, y0, x1, y1 = found
        return x0, y0, x1, y1

    def pdf(self) -> bytes:
        raise Unsupported(f"{self.name}'s driver does not print; use chromium or firefox")

    def accessibility(self) -> Any:
        raise Unsupported(
            f"{self.name}'s driver does not show what a screen reader is given; use chromium"
        )

    def close(self) -> None:
        self._closing.close()
