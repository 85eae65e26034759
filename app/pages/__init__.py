"""The designer's pages: server-rendered, without script, in Dutch and English."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from app.pages import door, look
from app.pages.problems import answers_with_pages
from app.pages.problems import problem_page as problem_page
from app.pages.reading import compare, maps, shares, stalls
from app.pages.setting_up import (
    canvas,
    changes,
    check,
    layouts,
    members,
    notices,
    paths,
    settings,
    snippet,
    zones,
)
from app.pages.shops import home, site

router = APIRouter(include_in_schema=False, dependencies=[Depends(answers_with_pages)])
router.include_router(door.router)
router.include_router(home.router)
router.include_router(site.router)
router.include_router(maps.router)
router.include_router(stalls.router)
router.include_router(compare.router)
router.include_router(shares.router)
router.include_router(layouts.router)
router.include_router(canvas.router)
router.include_router(settings.router)
router.include_router(zones.router)
router.include_router(paths.router)
router.include_router(snippet.router)
router.include_router(changes.router)
router.include_router(members.router)
router.include_router(notices.router)
router.include_router(check.router)
router.include_router(look.router)
