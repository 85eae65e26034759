"""What a form of ours sends: whether it stood on a page of ours, and its fields, bounded."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from app.access.session import signed_in
from app.context import Context
from app.links import own_url
from app.problems import BadParameters, FromElsewhere
from collector.errors import TooLarge, UnsupportedMedia

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 16


async def read_form(request: Request, most_bytes: int) -> bytes:
    """The body as it came; TooLarge at the limit and not after it."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM:
        raise UnsupportedMedia(f"the body must be {FORM}")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(f"this form has at most {most_bytes} bytes")
    return bytes(body)


def fields_of(body: bytes) -> dict[str, str]:
    """By name; what is there twice is left out."""
    try:
        found = parse_qs(body.decode("ascii", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError as problem:
        raise BadParameters("more fields than any form of ours has") from problem
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def refuse_from_elsewhere(request: Request, context: Context) -> None:
    """Raises FromElsewhere for a form that stood on no page of ours."""
    if not _from_our_pages(request, context):
        raise FromElsewhere(
            "this form did not stand on a page of ours: load the page again and send it from there"
        )


def _from_our_pages(request: Request, context: Context) -> bool:
    """By what the browser says of where the form stood.

    Where it has no Sec-Fetch-Site (plain http to another machine), pages that name no referrer send
    the Origin `null`. Others may too, but their posts lack the lax cookie.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return signed_in(request, context) is not None
    hosts = {request.headers.get("host"), urlsplit(own_url(context.settings)).netloc}
    return urlsplit(origin).netloc in hosts
