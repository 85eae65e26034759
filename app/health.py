"""Whether the process lives, and whether it may be sent traffic."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Response

from app.context import Context, context_of
from collector.connections import ASK_WITHIN_S
from collector.writer import QUEUE_BYTES

router = APIRouter(include_in_schema=False)
FULL_SHARE = 0.8
"""Above this share of what queue or spool may hold new traffic should go elsewhere."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(
    context: Annotated[Context, Depends(context_of)], response: Response
) -> dict[str, Any]:
    """Ready while what comes is kept: without the store that is as long as the spool has room."""
    spool = await asyncio.to_thread(_spool, context)
    trouble, status = "", "ready"
    if not await _answers(context):
        status = "the store does not answer: what comes is kept in the spool"
        trouble = _cannot_spool(context, spool)
    if context.writer.queued_bytes > FULL_SHARE * QUEUE_BYTES:
        trouble = "the queue is nearly full"
    if trouble:
        response.status_code = 503
    return {"status": trouble or status, "spool": spool}


async def _answers(context: Context) -> bool:
    try:
        await context.store.within(
            ASK_WITHIN_S, "readyz", lambda: context.store.fetchval("SELECT 1")
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def _spool(context: Context) -> dict[str, int] | None:
    """Bytes and age of what waits to be replayed; None where there is no spool."""
    spool = context.writer.spool
    if spool is None:
        return None
    since = spool.oldest_at()
    lag_s = int((context.clock() - since).total_seconds()) if since else 0
    return {"bytes": spool.size_bytes(), "lag_s": max(lag_s, 0)}


def _cannot_spool(context: Context, spool: dict[str, int] | None) -> str:
    if spool is None or not context.catalogue.warm:
        return "the store does not answer"
    if spool["bytes"] > FULL_SHARE * context.settings.spool_bytes:
        return "the store does not answer, and the spool is nearly full"
    return ""
