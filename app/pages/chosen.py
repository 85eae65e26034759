"""What a view is asked for, in a few words: they stand where the form itself is folded away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from app.pages.labels import CHOICES, FIELDS
from app.pages.words import N_, Words

APART = frozenset({"kind", "style", "device", "date_from", "date_to"})
"""Told by the tabs, or first and always."""

TOLD: Mapping[str, str] = {
    "layout": N_("on one layout"),
    "variant": N_("variant %(value)s"),
    "viewport_width_min": N_("windows from %(value)s px"),
    "viewport_width_max": N_("windows up to %(value)s px"),
    "colour_by": N_("dots coloured by %(value)s"),
    "palette": N_("in the colours %(value)s"),
    "scale": N_("%(value)s scale"),
    "full_colour": N_("full colour at %(value)s"),
    "bandwidth": N_("bandwidth %(value)s"),
}
"""Fields whose value alone says nothing; of the others it does."""


def chosen(
    given: Mapping[str, str], period: tuple[date, date] | None, words: Words
) -> tuple[str, ...]:
    """Who is looked at, when, and every choice beyond that, in the order of the form.

    given   what the address asks for, as it was written
    period  first and last day, None where the question itself decides
    """
    _ = words.catalogue.gettext
    who = _one(words, "device", given["device"]) if given.get("device") else _("all devices")
    when = (words.period(*period),) if period else ()
    others = (name for name in FIELDS if name not in APART and given.get(name))
    return (who, *when, *(part for name in others for part in _parts(words, name, given[name])))


def _parts(words: Words, name: str, value: str) -> Iterator[str]:
    """Of what may be ticked several times each value by itself."""
    values = value.split(",") if name == "marks" else [value]
    for one in values:
        yield _one(words, name, one)


def _one(words: Words, name: str, value: str) -> str:
    _ = words.catalogue.gettext
    label = CHOICES.get(name, {}).get(value)
    told = _(label) if label else value
    return _(TOLD[name]) % {"value": told} if name in TOLD else told
