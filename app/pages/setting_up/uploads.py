"""A form with a file in it: multipart/form-data, bounded in bytes and parts, held in memory.

The file's name and type are what a stranger's machine calls it, so they are never looked at.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.drawing.redraw import MAX_BYTES
from app.pages.forms import MOST_FIELDS
from collector.errors import Malformed, TooLarge, UnsupportedMedia

MULTIPART = b"multipart/form-data"
MOST_FIELD_BYTES = 4096
MOST_BYTES = MAX_BYTES + 2**16
"""The picture, the other fields, and the headers of the parts."""

LONGEST_BOUNDARY = 70
"""RFC 2046, §5.1.1."""


@dataclass(frozen=True, slots=True)
class Upload:
    """fields: by name, what is there twice left out; file: None where none was chosen."""

    fields: Mapping[str, str]
    file: bytes | None


class _Bounded(MultiPartParser):
    """Never spools a file to disk, reads no further than its limit, and knows its end."""

    spool_max_size = MOST_BYTES

    def __init__(self, request: Request) -> None:
        super().__init__(
            _plain_headers(request),
            self._read(request),
            max_files=1,
            max_fields=MOST_FIELDS,
            max_part_size=MOST_FIELD_BYTES,
        )
        self._ended = False

    def on_end(self) -> None:
        self._ended = True

    async def _read(self, request: Request) -> AsyncGenerator[bytes, None]:
        """What is raised here closes the files that were begun."""
        _check_length(request)
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > MOST_BYTES:
                raise _too_large()
            yield part
        if not self._ended:
            raise MultiPartException("the body ended before its last part did")


async def read_upload(request: Request) -> Upload:
    """Raises UnsupportedMedia, TooLarge at the limit and not after it, or Malformed."""
    try:
        form = await _Bounded(request).parse()
    except MultiPartException as problem:
        raise Malformed(
            "the form cannot be read: it has one file, and a few short fields"
        ) from problem
    except ClientDisconnect as gone:
        raise Malformed("the body ended early") from gone
    try:
        return Upload(_once(form), await _file(form))
    finally:
        await form.close()


def _once(form: FormData) -> dict[str, str]:
    told = form.multi_items()
    names = [name for name, _ in told]
    return {name: one for name, one in told if isinstance(one, str) and names.count(name) == 1}


async def _file(form: FormData) -> bytes | None:
    """A browser sends a file field that was left empty as an empty file."""
    for _, one in form.multi_items():
        if isinstance(one, UploadFile):
            return await one.read() or None
    return None


def _plain_headers(request: Request) -> Headers:
    """The boundary alone: a charset of the sender's choice would choose a decoder of ours."""
    media, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if media.lower() != MULTIPART or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise UnsupportedMedia("send the form as multipart/form-data")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("send the form uncompressed")
    told = boundary.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return Headers(raw=[(b"content-type", MULTIPART + b'; boundary="' + told + b'"')])


def _check_length(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > MOST_BYTES:
        raise _too_large()


def _too_large() -> TooLarge:
    return TooLarge(f"a picture may have at most {MAX_BYTES // 2**20} MB: save it as WebP")
