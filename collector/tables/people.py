"""Shops, and who may see and change what of them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB

from collector.tables.columns import at, column, metadata, shop, text

site = sa.Table(
    "site",
    metadata,
    column("data_version", BigInteger, "grows whenever an answer could change", server_default="0"),
    at("created_at", "when the site was added"),
    sa.Column("site_id", Integer, sa.Identity(), primary_key=True, comment="number of the shop"),
    text("public_key", "gs_…, stands in the pasted snippet", unique=True, nullable=False),
    text("name", "what people call the shop", nullable=False),
    text("time_zone", "IANA name; decides what a day is", nullable=False),
    text("state", "trying or live", nullable=False),
    column("config", JSONB, "consent, window, kept days, guards", server_default="{}"),
    sa.CheckConstraint("state IN ('trying', 'live')"),
)

account = sa.Table(
    "account",
    metadata,
    at("created_at", "when the account was made"),
    sa.Column("account_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    column("sessions", Integer, "grows whenever all its sessions end", server_default="0"),
    text("name", "what the person is called here", unique=True, nullable=False),
    text("language", "nl or en, once chosen", nullable=True),
    text("password", "scrypt with its parameters and salt; null: by links alone", nullable=True),
)

membership = sa.Table(
    "membership",
    metadata,
    sa.Column(
        "account_id",
        Integer,
        sa.ForeignKey("account.account_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the account",
    ),
    shop(),
    text("role", "owner, editor or reader", nullable=False),
    sa.CheckConstraint("role IN ('owner', 'editor', 'reader')"),
)

sign_in_link = sa.Table(
    "sign_in_link",
    metadata,
    at("expires_at", "good until"),
    at("used_at", "null while unused: a link works once", nullable=True),
    sa.Column("link_hash", LargeBinary, primary_key=True, comment="SHA-256 of the link's secret"),
    sa.Column(
        "account_id",
        Integer,
        sa.ForeignKey("account.account_id", ondelete="CASCADE"),
        nullable=False,
        comment="who signs in",
    ),
)

sign_in_try = sa.Table(
    "sign_in_try",
    metadata,
    at("at", "when a password was tried; deleted by the first try 15 min later"),
    sa.Column("sign_in_try_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    column("name_hash", LargeBinary, "keyed hash of the account's name, there or not"),
)

api_key = sa.Table(
    "api_key",
    metadata,
    at("created_at", "when the key was made"),
    at("last_used_at", "day of last use", nullable=True),
    at("revoked_at", "null while good", nullable=True),
    sa.Column("api_key_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    shop(primary_key=False),
    column(
        "key_hash", LargeBinary, "SHA-256 of the key; the key itself is shown once", unique=True
    ),
    text("scope", "read, write or goal", nullable=False),
    text("label", "what the key is for", nullable=False),
    sa.CheckConstraint("scope IN ('read', 'write', 'goal')"),
)

share = sa.Table(
    "share",
    metadata,
    at("expires_at", "good until"),
    at("revoked_at", "null while good", nullable=True),
    sa.Column("share_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    shop(primary_key=False),
    column("target", JSONB, "what the link shows"),
)
