"""A layout as it travels through the write API: what `gloed capture` sends and the route takes."""

from __future__ import annotations

import base64
import math
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.drawing.pictures import PictureError
from app.drawing.redraw import MAX_BYTES
from app.picturing.boxes import FARTHEST_PX, MAX_HEIGHT_PX, MAX_WIDTH_PX, Box, Placement
from collector.wire import MAX_ZONE

Pointer = Literal["fine", "coarse"]
POINTERS: tuple[Pointer, ...] = get_args(Pointer)
MAX_LANGUAGE = 15
MAX_VARIANT = 255
"""As the codes of a batch; the store checks the same."""

_Edge = Annotated[float, Field(ge=-FARTHEST_PX, le=FARTHEST_PX)]
MAX_PICTURE_CHARS = 4 * math.ceil(MAX_BYTES / 3)
_Base64 = Annotated[str, Field(max_length=MAX_PICTURE_CHARS)]


class BoxBody(BaseModel):
    """A zone's box as the API takes it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    zone: Annotated[int, Field(ge=1, le=MAX_ZONE)]
    x0_px: _Edge
    y0_px: _Edge
    x1_px: _Edge
    y1_px: _Edge
    placement: Placement = "flow"


class LayoutBody(BaseModel):
    """A layout as the API takes it; `picture` is the image in base64, or null for boxes alone."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    width_px: Annotated[int, Field(ge=1, le=MAX_WIDTH_PX)]
    height_px: Annotated[int, Field(ge=1, le=MAX_HEIGHT_PX)]
    pointer: Pointer
    boxes: Annotated[list[BoxBody], Field(max_length=MAX_ZONE)]
    picture: _Base64 | None = None
    language: Annotated[int, Field(ge=0, le=MAX_LANGUAGE)] = 0
    variant: Annotated[int, Field(ge=0, le=MAX_VARIANT)] = 0

    def decoded_picture(self) -> bytes | None:
        """The image as it was before base64; PictureError for what is no base64."""
        if self.picture is None:
            return None
        try:
            return base64.b64decode(self.picture, validate=True)
        except ValueError as wrong:
            raise PictureError(
                "picture is not base64: encode the bytes of the image, without line breaks and "
                "without a data: prefix"
            ) from wrong

    def layout_boxes(self) -> tuple[Box, ...]:
        return tuple(
            Box(box.zone, box.x0_px, box.y0_px, box.x1_px, box.y1_px, box.placement)
            for box in self.boxes
        )
