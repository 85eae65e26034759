"""What a shop collects, of whom, and how long it is kept: the owner's to change.

The same configuration that `gloed configure` and `gloed site consent` change, by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from app.configuration import EXEMPT_DAYS, Configuration, configure
from app.consents import PRESETS
from app.context import Context
from app.pages.desk import Desk, DeskDep, OwnerDep
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.rendering import HEADERS, page_response
from app.pages.words import N_, Words, words_for
from app.refused import OURS, said
from app.shops import ShopError, go_live

router = APIRouter()
MOST_FORM_BYTES = 2**15

MODES: Mapping[str, str] = {
    "consent": N_("whoever your page or your cookie lets in"),
    "exempt": N_("everybody who did not opt out, without references of orders"),
    "off": N_("nobody"),
}
OWN = "own"
LISTS = ("exclude_networks", "origins")
NUMBERS: Mapping[str, str] = {
    "least_visits": N_("Visits that an answer rests on, at the least"),
    "window_h": N_("Hours in which a visit may still complete"),
    "raw_days": N_("Days that single signals are kept"),
    "view_days": N_("Days that page views and visits are kept"),
    "tile_days": N_("Days that sums of days are kept"),
}
SWITCH = "honour_opt_out"
ASKED = ("mode", "consent", SWITCH, *LISTS, *NUMBERS)
"""What this form holds; all else of the configuration stays as it is."""


@router.get("/sites/{key}/settings")
async def settings_page(request: Request, at: DeskDep) -> Response:
    return _page(request, at)


@router.post("/sites/{key}/settings")
async def change_settings(request: Request, context: ContextDep, at: OwnerDep) -> Response:
    """Put the form in place of what it shows, or go live."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    words = words_for(request.headers.get("accept-language", ""))
    if fields.get("do") == "live":
        faults = await _live(context, at, fields, words)
    else:
        config, faults = _config(at.site.config, fields, words)
        if not faults:
            await configure(context.store, at.site, config)
            context.catalogue.forget()
    if faults:
        return _page(request, at, faults, fields, 422)
    return RedirectResponse("settings", 303, HEADERS)


async def _live(
    context: Context, at: Desk, fields: Mapping[str, str], words: Words
) -> dict[str, Fault]:
    if "sure" not in fields:
        return {"sure": fault(words, N_("Tick this: what was tried is thrown away for good."))}
    try:
        await go_live(context.store, at.site, context.clock())
    except ShopError as problem:
        return {"sure": refused(problem)}
    context.catalogue.forget()
    return {}


def _config(
    present: Mapping[str, Any], fields: Mapping[str, str], words: Words
) -> tuple[dict[str, Any], dict[str, Fault]]:
    """The configuration with what the form says, and what is wrong with it, field by field."""
    given = {name: value.strip() for name, value in fields.items()}
    config = {name: value for name, value in present.items() if name not in ASKED}
    faults: dict[str, Fault] = {}
    if given.get("mode", "consent") != "consent":
        config["mode"] = given["mode"]
    if SWITCH not in given:
        config[SWITCH] = False
    for name in LISTS:
        if listed := given.get(name, "").replace(",", " ").split():
            config[name] = listed
    for name in NUMBERS:
        text = given.get(name, "")
        if not text:
            continue
        if text.isascii() and text.isdigit() and len(text) < 6:
            config[name] = int(text)
        else:
            faults[name] = fault(words, N_("A whole number, or nothing for the usual one."))
    rule = _rule(given)
    if rule is not None:
        config["consent"] = rule
    return config, {**_wrong(config, words), **faults}


def _rule(given: Mapping[str, str]) -> dict[str, str] | None:
    tool = given.get("tool", "")
    if tool in PRESETS:
        return {"cookie": PRESETS[tool].cookie, "pattern": PRESETS[tool].pattern}
    if tool == OWN:
        return {"cookie": given.get("cookie", ""), "pattern": given.get("pattern", "")}
    return None


def _wrong(config: Mapping[str, Any], words: Words) -> dict[str, Fault]:
    try:
        Configuration.model_validate(dict(config))
    except ValidationError as problem:
        return {
            _field(error["loc"], error["msg"]): _told(error, words) for error in problem.errors()
        }
    return {}


def _field(loc: tuple[int | str, ...], message: str) -> str:
    """Where it stands in the form; of a rule between two fields the one that it begins with."""
    if loc[:1] == ("consent",):
        return str(loc[1]) if len(loc) > 1 else "tool"
    if loc:
        return str(loc[0])
    told = message.removeprefix(OURS)
    return next((name for name in NUMBERS if told.startswith(name)), "mode")


def _told(error: Mapping[str, Any], words: Words) -> Fault:
    limits = error.get("ctx", {})
    if error["type"] in ("greater_than_equal", "less_than_equal"):
        message = N_("At least %(n)s.") if "ge" in limits else N_("At most %(n)s.")
        return fault(words, message, n=words.number(limits.get("ge", limits.get("le"))))
    if error["loc"][:2] == ("consent", "cookie"):
        return fault(words, N_("The name of a cookie, as your consent tool writes it."))
    if error["loc"][:1] == ("origins",):
        return fault(words, N_("A host, such as shop.nl, without https:// and without a path."))
    return refused(Exception(said(error)))


def _page(
    request: Request,
    at: Desk,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    usual = Configuration()
    shown = {
        "site": at.site,
        "owns": at.owns,
        "modes": MODES,
        "tools": [(name, name.capitalize()) for name in PRESETS],
        "notes": [(name.capitalize(), one.note) for name, one in PRESETS.items() if one.note],
        "numbers": NUMBERS,
        "usual": {name: getattr(usual, name) for name in NUMBERS},
        "exempt_days": EXEMPT_DAYS,
        "values": given or _given(at.site.config),
        "faults": faults or {},
        "given": given or {},
    }
    return page_response(request, "settings.html.jinja", shown, status)


def _given(config: Mapping[str, Any]) -> dict[str, str]:
    """What the form would send for this configuration."""
    told = {"mode": str(config.get("mode", "consent"))}
    told |= {name: "\n".join(config[name]) for name in LISTS if name in config}
    told |= {name: str(config[name]) for name in NUMBERS if name in config}
    if config.get(SWITCH, True):
        told[SWITCH] = "on"
    rule = config.get("consent")
    if rule:
        told |= {"cookie": rule["cookie"], "pattern": rule["pattern"], "tool": _tool(rule)}
    return told


def _tool(rule: Mapping[str, str]) -> str:
    named = (
        name
        for name, preset in PRESETS.items()
        if (preset.cookie, preset.pattern) == (rule["cookie"], rule["pattern"])
    )
    return next(named, OWN)
