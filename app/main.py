"""create_app(settings): the only place that wires everything."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, date
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.access.keys import Signer, find_key
from app.api import router as api
from app.clock import Clock, system_clock
from app.config import Settings, read_settings
from app.context import Context
from app.drawing.overlays import Overlays
from app.drawing.renders import Renders
from app.front import below_prefix, taken_at_its_word, without_body
from app.health import router as health
from app.jobs import Jobs
from app.logs import configure_logs
from app.metrics import router as metrics
from app.openapi import document
from app.pages import problem_page
from app.pages import router as pages
from app.pages.reading.legends import legend_of
from app.pages.shops.glances import kept_glances
from app.postgres import die_with_parent
from app.problems import install_problems
from app.scripts import served_script
from app.secret import fleet_secret
from app.sheets import Sheets
from app.spooling import make_spool
from app.store import (
    OtherRevision,
    Store,
    StoreAway,
    StoreProblem,
    at_head,
    connect,
    head,
    open_store,
)
from collector.addresses import networks
from collector.agents import warm_up
from collector.catalogue import Catalogue
from collector.connections import AWAY
from collector.intake import Collector
from collector.parts import Parts
from collector.sites import Site
from collector.visitor import Salts
from collector.warm import keep_warm
from collector.writer import Writer

log = structlog.get_logger()
LOOK_AGAIN_S = 5.0
"""How often a store is looked for that was away, or of another version, at the start."""

DESCRIPTION = "Script-free-first tracking for webshops: where checkout visitors stall."


class Gloed(FastAPI):
    """FastAPI with the collector's raw routes in front: a beacon pays for no framework."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(**more)
        self._settings = settings

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = document(self, self._settings.prefix)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: Context | None = getattr(self.state, "gloed", None)
        if scope["type"] == "http" and context is not None:
            path = below_prefix(scope, context.settings.prefix)
            if path is not None:
                await context.collector(scope, path, receive, send)
                return
            send = taken_at_its_word(send)
            if scope["method"] == "HEAD":  # answered like GET, which changes nothing anywhere
                scope, send = {**scope, "method": "GET"}, without_body(send)
        await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None, *, clock: Clock = system_clock) -> Gloed:
    """One Gloed, to be served by itself or mounted below any path of another application.

    Nothing is opened before its lifespan begins; `app.embedding.mount` joins that to the host's.
    """
    chosen = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(chosen, clock) as context:
            app.state.gloed = context
            try:
                yield
            finally:
                app.state.gloed = None

    app = Gloed(
        chosen,
        title="Gloed",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,  # it would send visitors to whatever host the request names
    )
    app.include_router(health)
    app.include_router(metrics)
    app.include_router(api)
    app.include_router(pages)
    install_problems(app, problem_page)
    return app


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[Context]:
    """A whole Gloed, started in order and stopped in the reverse one."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(open_store(settings, lambda line: log.info("store", note=line)))
        met = await _met(url, owned=settings.embedded)
        store = Store(url)
        await store.open(at_once=False)
        stack.push_async_callback(store.close)
        context = _wired(settings, clock, store, fleet_secret(settings))
        warm_up()
        await context.writer.start()
        stack.push_async_callback(context.writer.stop)
        stack.callback(context.renders.close)
        jobs = Jobs(store, clock)
        stack.push_async_callback(jobs.stop)
        if not (met and await _started(jobs)):
            _beside(stack, _start_when_met(jobs, url))
        _beside(stack, keep_warm(context.catalogue, context.salts, clock))
        yield context


def _beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until the stack is left."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)


async def _met(url: str, *, owned: bool) -> bool:
    """Whether the store is there with this version's schema; one that is ours is brought to it.

    Without it a collector begins all the same: it refuses what it cannot keep, and harms no
    shop's page meanwhile; where one of several workers cannot begin, all of them are stopped.
    Raises StoreProblem for a store that waiting does not mend.
    """
    try:
        await at_head(url, owned=owned)
    except (OtherRevision, StoreAway, OSError) as problem:
        if owned:
            raise
        log.warning("store_not_met", why=str(problem) or type(problem).__name__)
        return False
    return True


async def _started(jobs: Jobs) -> bool:
    try:
        await jobs.start()
    except AWAY as away:
        log.warning("store_lost", why=type(away).__name__)
        return False
    return True


async def _start_when_met(jobs: Jobs, url: str) -> None:
    """Jobs write what only this version's schema can hold."""
    started = False
    while not started:
        await asyncio.sleep(LOOK_AGAIN_S)
        with suppress(StoreProblem):  # it was good at the start, or is told at the next
            started = await _met(url, owned=False) and await _started(jobs)


def _wired(settings: Settings, clock: Clock, store: Store, secret: bytes) -> Context:
    catalogue = Catalogue(store)
    writer = Writer(
        lambda: connect(store.url),
        closed_day=_long_over(clock),
        revision=head(),
        spool=make_spool(settings, clock),
    )
    salts = Salts(store)
    sheets = Sheets()

    async def may_report_goals(site: Site, authorization: str) -> bool:
        key = await find_key(store, authorization, clock())
        return key is not None and key.site_id == site.site_id and key.allows("goal")

    collector = Collector(
        Parts(
            catalogue=catalogue,
            writer=writer,
            salts=salts,
            secret=secret,
            clock=clock,
            sheet=sheets,
            trusted=networks(settings.trusted_proxies),
            may_report_goals=may_report_goals,
            script=served_script,
        )
    )
    return Context(
        settings=settings,
        clock=clock,
        store=store,
        secret=secret,
        signer=Signer(secret),
        catalogue=catalogue,
        salts=salts,
        writer=writer,
        collector=collector,
        renders=Renders(settings.render_workers),
        overlays=Overlays(legend_of),
        sheets=sheets,
        glances=kept_glances(),
    )


def _long_over(clock: Clock) -> Callable[[int, date], bool]:
    """Days that the closing job may no longer visit by itself: late rows must mark them.

    It visits a shop's today and yesterday. No shop's clock is more than a day ahead of UTC's, so
    what lies before today in UTC may be long over somewhere; marking it needlessly does no harm.
    """
    return lambda _site_id, day: day < clock().astimezone(UTC).date()


def worker() -> Gloed:
    """What each of several worker processes runs; it dies with the process that started it."""
    die_with_parent()
    settings = read_settings()
    configure_logs(settings.log_format)
    return settled_app(settings)


def settled_app(settings: Settings) -> Gloed:
    """An app that has its process to itself, and what was imported out of the collector's way.

    Looking for garbage among 170,000 objects that stay takes 0.1 to 0.3 s now and then, and who
    asks meanwhile waits. Not for an app that is mounted: its host decides that.
    """
    app = create_app(settings)
    gc.collect()
    gc.freeze()
    return app
