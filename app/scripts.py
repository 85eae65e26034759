"""The optional script as the collector serves it: made once, off the loop, when first asked for."""

from __future__ import annotations

import asyncio

import structlog

from snippets.errors import ScriptError
from snippets.script.build import Script, script

log = structlog.get_logger()


async def served_script() -> Script | None:
    """None where it cannot be made: the page then goes without, and the log says why."""
    try:
        return await asyncio.to_thread(script)
    except ScriptError as problem:
        log.error("script_not_made", why=str(problem))
        return None
