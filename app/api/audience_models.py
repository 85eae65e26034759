"""How the API says what share of a shop's page views its answers rest on."""

from __future__ import annotations

from pydantic import BaseModel

from app.mapping.audience import Audience


class AudienceOut(BaseModel):
    """Of all page views of the shop in the period, whatever their page: what was counted, and what
    was not by reason. No filter changes it."""

    page_views: int
    share: float | None
    left_out: dict[str, int]


def audience_out(of_shop: Audience) -> AudienceOut:
    return AudienceOut(
        page_views=of_shop.whole,
        share=of_shop.share,
        left_out={reason.value: n for reason, n in of_shop.left_out.items()},
    )
