"""The read API, version 1, and the few writes that captures need."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import contrasts, differences, heatmaps, layouts, page_rules, quarantine, sites

router = APIRouter(prefix="/api/v1")
router.include_router(sites.router)
router.include_router(page_rules.router)
router.include_router(heatmaps.router)
router.include_router(contrasts.router)
router.include_router(differences.router)
router.include_router(layouts.router)
router.include_router(quarantine.router)
