"""Errors that a person can act on: told in one line, without a traceback."""

from __future__ import annotations

from app.access.keys import KeyProblem
from app.config import SettingsError
from app.drawing.pictures import PictureError
from app.picturing.capture import CaptureError
from app.picturing.layouts import LayoutError
from app.postgres import PostgresError
from app.problems import ApiProblem
from app.replay import ReplayError
from app.shops import ShopError
from app.store import StoreProblem
from heatmap.errors import HeatmapError
from snippets.errors import SnippetError

EXPECTED = (
    ApiProblem,
    CaptureError,
    HeatmapError,
    KeyProblem,
    LayoutError,
    PictureError,
    PostgresError,
    ReplayError,
    SettingsError,
    ShopError,
    SnippetError,
    StoreProblem,
)
