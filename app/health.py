"""Whether the process lives, and whether it may be sent traffic."""

from __future__ import annotations

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Response

from app.context import Context, context_of
from collector.writer import QUEUE_BYTES

router = APIRouter(include_in_schema=False)
FULL_SHARE = 0.8
"""Above this share of the queue's bound new traffic should go elsewhere."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(
    context: Annotated[Context, Depends(context_of)], response: Response
) -> dict[str, str]:
    try:
        await context.store.fetchval("SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        response.status_code = 503
        return {"status": "the store does not answer"}
    if context.writer.queued_bytes > FULL_SHARE * QUEUE_BYTES:
        response.status_code = 503
        return {"status": "the queue is nearly full"}
    return {"status": "ready"}
