"""Pointer, wheel and keys as W3C actions, the same for Firefox's protocol and for WebKit's."""

from abc import abstractmethod
from contextlib import ExitStack
from typing import Any

from tests.browser.engine import BrowserError, Engine, Unsupported

Action = dict[str, Any]

# Code points W3C WebDriver gives to keys without a character (WebDriver 2, 17.4.2).
KEYS = {
    "Alt": "\ue00a",
    "ArrowDown": "\ue015",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "ArrowUp": "\ue013",
    "Backspace": "\ue003",
    "Control": "\ue009",
    "Delete": "\ue017",
    "End": "\ue010",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Home": "\ue011",
    "PageDown": "\ue00f",
    "PageUp": "\ue00e",
    "Shift": "\ue008",
    "Space": " ",
    "Tab": "\ue004",
}


def chord(name: str) -> list[Action]:
    """The actions of one key or of a chord such as Shift+Tab: down in order, up in reverse."""
    values = [_value(part) for part in (name.split("+") if len(name) > 1 else name)]
    return [
        *({"type": "keyDown", "value": value} for value in values),
        *({"type": "keyUp", "value": value} for value in reversed(values)),
    ]


def _value(key: str) -> str:
    if len(key) == 1:
        return KEYS["Enter"] if key == "\n" else key
    if key not in KEYS:
        raise BrowserError(
            f"no key is named {key!r}; use one character or one of {', '.join(KEYS)}"
        )
    return KEYS[key]


class ActionsEngine(Engine):
    """Turns the driver's verbs into W3C action sequences and remembers where the pointer is."""

    def __init__(self, name: str, closing: ExitStack) -> None:
        super().__init__(name, closing)
        self._x = 0
        self._y = 0

    @abstractmethod
    def _perform(self, source: dict[str, Any]) -> None: ...

    def _point(self, *actions: Action) -> None:
        self._perform(
            {
                "type": "pointer",
                "id": "mouse",
                "parameters": {"pointerType": "mouse"},
                "actions": list(actions),
            }
        )

    def _path(self, x: float, y: float, steps: int) -> list[Action]:
        x0, y0 = self._x, self._y
        self._x, self._y = round(x), round(y)
        return [
            {
                "type": "pointerMove",
                "x": round(x0 + (x - x0) * step / steps),
                "y": round(y0 + (y - y0) * step / steps),
            }
            for step in range(1, steps + 1)
        ]

    def move(self, x: float, y: float, steps: int = 1) -> None:
        self._point(*self._path(x, y, steps))

    def down(self) -> None:
        self._point({"type": "pointerDown", "button": 0})

    def up(self) -> None:
        self._point({"type": "pointerUp", "button": 0})

    def click(self, x: float, y: float) -> None:
        self._point(
            *self._path(x, y, steps=1),
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        )

    def tap(self, x: float, y: float) -> None:
        raise Unsupported(f"{self.name} has no touch screen here; open chromium with touch=True")

    def _scroll(self, delta_y_px: int) -> None:
        action = {"type": "scroll", "x": self._x, "y": self._y, "deltaX": 0, "deltaY": delta_y_px}
        self._perform({"type": "wheel", "id": "wheel", "actions": [action]})

    def wheel(self, dy: int) -> None:
        self._scroll(dy)

    def type(self, text: str) -> None:
        self._press([action for character in text for action in chord(character)])

    def key(self, name: str) -> None:
        self._press(chord(name))

    def _press(self, actions: list[Action]) -> None:
        self._perform({"type": "key", "id": "keys", "actions": actions})
