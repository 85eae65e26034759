"""Files that are no pictures under a picture's name, and pictures that carry something to burst."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from app.drawing.pictures import PictureError, clean_picture

BOMB_BYTES = 200 * 2**20
"""What a chunk of some hundred kB unpacks to."""

SIGNATURE_BYTES = 8
HEAD_BYTES = SIGNATURE_BYTES + 25
"""Of the signature and the first chunk."""


def png() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(written, "PNG")
    return written.getvalue()


def chunk(kind: bytes, told: bytes) -> bytes:
    return struct.pack(">I", len(told)) + kind + told + struct.pack(">I", zlib.crc32(kind + told))


def with_chunks(*chunks: bytes) -> bytes:
    """A good picture that carries them before its pixels."""
    raw = png()
    return raw[:HEAD_BYTES] + b"".join(chunks) + raw[HEAD_BYTES:]


def bomb() -> bytes:
    packer = zlib.compressobj(9)
    part = bytes(2**20)
    packed = b"".join(packer.compress(part) for _ in range(BOMB_BYTES // len(part)))
    return packed + packer.flush()


@pytest.fixture(scope="module")
def bursting() -> dict[str, bytes]:
    packed = bomb()
    return {
        "packed text": with_chunks(chunk(b"zTXt", b"Comment\0\0" + packed)),
        "text in any language": with_chunks(chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed)),
        "profile": with_chunks(chunk(b"iCCP", b"p\0\0" + packed)),
        "pixels": png()[:HEAD_BYTES] + chunk(b"IDAT", packed) + chunk(b"IEND", b""),
        "ten thousand texts": with_chunks(*[chunk(b"tEXt", b"k\0" + bytes(100))] * 10_000),
    }


@pytest.mark.parametrize(
    "kind", ["packed text", "text in any language", "profile", "pixels", "ten thousand texts"]
)
def test_what_would_burst_is_refused_or_left_behind(bursting: dict[str, bytes], kind: str) -> None:
    """The process has its limits of memory and time: either way it says so, and nothing of what was
    packed goes on."""
    if kind in REFUSED:
        with pytest.raises(PictureError, match=": give a"):
            clean_picture(bursting[kind])
        return
    clean, width_px, height_px = clean_picture(bursting[kind])
    assert (width_px, height_px) == (8, 8)
    assert len(clean) < 1000
    with Image.open(io.BytesIO(clean)) as kept:
        assert sorted(kept.info) == []


REFUSED = ("packed text", "text in any language", "profile")
"""Where Pillow itself stops unpacking; of the others what is too much is never looked at."""

NO_PICTURES = {
    "page": b"<!doctype html><script>alert(1)</script>",
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "entities": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(%pipe%id) (r) file\n",
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF",
    "fits": b"SIMPLE  =                    T" + b" " * 50 + b"END" + b" " * 2797,
    "zip": b"PK\x03\x04" + bytes(26),
    "playlist": b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nfile:///etc/passwd\n",
    "command": b"push graphic-context\nimage over 0,0 8,8 'https://a.example/x|id'\n",
    "signature alone": b"\x89PNG\r\n\x1a\n",
    "jpeg 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(40),
    "icon": b"\x00\x00\x01\x00\x01\x00" + bytes(16) + png(),
    "avif": b"\x00\x00\x00 ftypavif" + bytes(60),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_none_whatever_it_is_called(kind: str) -> None:
    with pytest.raises(PictureError, match="cannot be read: give a whole PNG, JPEG or WebP"):
        clean_picture(NO_PICTURES[kind])


def test_a_header_of_another_size_than_its_pixels_is_refused() -> None:
    """Some decoders fill what is lacking from whatever lies in memory."""
    raw = bytearray(png())
    raw[16:24] = struct.pack(">II", 4000, 4000)
    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    with pytest.raises(PictureError, match="cannot be read"):
        clean_picture(bytes(raw))
