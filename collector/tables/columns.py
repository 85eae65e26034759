"""Columns that many tables share, and the one metadata of the store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import DateTime, Integer, SmallInteger

metadata = sa.MetaData()


def text(name: str, comment: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), comment=comment, **more)


def column(name: str, kind: Any, comment: str, **more: Any) -> sa.Column[Any]:
    more.setdefault("nullable", False)
    return sa.Column(name, kind, comment=comment, **more)


def at(name: str, comment: str, **more: Any) -> sa.Column[Any]:
    return column(name, DateTime(timezone=True), comment, **more)


def shop(*, primary_key: bool = True) -> sa.Column[Any]:
    return sa.Column(
        "site_id",
        Integer,
        sa.ForeignKey("site.site_id"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
        comment="the shop",
    )


def shop_number() -> sa.Column[Any]:
    """Of distributed tables: without the foreign key, which a partitioned COPY pays for per row."""
    return key("site_id", Integer, "the shop")


def key(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(
        name, kind, primary_key=True, autoincrement=False, nullable=False, comment=comment
    )


def code(name: str, comment: str, top: int, *, nullable: bool = False) -> list[Any]:
    return [
        sa.Column(name, SmallInteger, nullable=nullable, comment=comment),
        sa.CheckConstraint(f"{name} BETWEEN 0 AND {top}"),
    ]


def codes(*, nullable: bool = False) -> list[Any]:
    listed = (
        ("device", "device class: 0 unknown, 1 desktop, 2 phone, 3 tablet", 3),
        ("band", "width band 1..5 of the viewport, 0 unknown", 5),
        ("browser", "browser family by a closed list", 31),
        ("os", "operating system by a closed list", 31),
        ("channel", "class of the referrer's host", 15),
        ("variant", "number of the page's variant, 0 none", 255),
        ("capture", "1 script-free, 2 script, 3 server, 4 import", 4),
        ("language", "class of the browser's first language", 15),
    )
    return [
        part
        for name, comment, top in listed
        for part in code(name, comment, top, nullable=nullable)
    ]
