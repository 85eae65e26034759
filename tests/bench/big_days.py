"""Days of any size, made inside Postgres: rows as a collector would have written them.

Three views a visit, each with the beacons that a phone or a desktop sends while a checkout page is
read; some also by script. Rows lie as they would have arrived, those of all who were there at once
mixed; numbers are hashes, so that the indexes are as scattered as real ones.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from collector.codes import Codes, pack_codes
from collector.packing import ENC, pack_events, pack_trail
from collector.partitions import make_partitions
from collector.sites import Site
from collector.tables import RAW
from collector.wire import Capture, Kind

VIEWS_A_VISIT = 3
PHONE = "w400 g720 coarse t1 t2 t5 t10 y300 b0.5 b1.2 1.f5 1.p1".split()
DESKTOP = "w1280 g720 hidpi t1 t5 t20 y600 z900 1.h 1.h2 2.h5 2.p1".split()
POINTS = 40

# One visit in three bears the shop's reference from its second page on. In a day's first half
# hour everybody also bears yesterday's hash, and one in fifty of them really was there.
_WALK = """
    CREATE TEMPORARY TABLE walk AS
    SELECT n, hashint8extended(n * 3 + place, {day} + 1000000) AS view_id,
        began + place * interval '50 seconds' AS at, hashint8extended(n, {day}) AS visitor,
        CASE WHEN began < '{begin}'::timestamptz + interval '30 minutes' THEN
            hashint8extended(CASE WHEN n % 50 = 0 THEN {visits} - 1 - n ELSE -1 - n END, {day} - 1)
        END AS visitor_before,
        CASE WHEN place > 0 AND n % 3 = 0 THEN decode(md5(n || ' ' || {day}), 'hex') END
            AS ref_hash,
        CASE WHEN place = 2 AND n % 24 = 1 THEN 4 ELSE 1 + place END AS page_id,
        n % 3 > 0 AS phone
    FROM (SELECT n, '{begin}'::timestamptz + (n + 0.5) / {visits} * interval '{seconds} s' AS began
          FROM generate_series(0, {visits} - 1) AS n) AS visit, generate_series(0, 2) AS place
    WHERE began + place * interval '50 seconds' < '{begin}'::timestamptz + interval '{seconds} s'
"""
_CODES = "device, band, browser, os, channel, variant, capture, language"
_BATCH_CODES = pack_codes(Codes(1, 4, 1, 1, 1, 0, Capture.SCRIPT, 1))
_BEACONS = f"""
    INSERT INTO {{table}} (site_id, day, view_id, name, at, visitor_check, visitor, visitor_before,
                         ref_hash, page_id, {_CODES})
    SELECT {{site_id}}, '{{date}}'::date, view_id, 'open', at, (visitor & 65535) - 32768, visitor,
        visitor_before, ref_hash, page_id, CASE WHEN phone THEN 2 ELSE 1 END, 0, 1, 1, 1, 0, 1, 1
    FROM walk
    UNION ALL
    SELECT {{site_id}}, '{{date}}'::date, view_id, name, at + step * interval '900 ms',
        (visitor & 65535) - 32768, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL
    FROM walk, unnest(CASE WHEN phone THEN $1::text[] ELSE $2 END)
        WITH ORDINALITY AS told(name, step)
    ORDER BY at
"""
_BATCHES = f"""
    INSERT INTO {{table}} (site_id, day, view_id, seq, at, opened_min, page_id, visitor,
                         visitor_before, ref_hash, page_width_px, page_height_px, viewport_width_px,
                         viewport_height_px, n, enc, trail, ev, codes)
    SELECT {{site_id}}, '{{date}}'::date, view_id, seq, at + (seq + 1) * interval '5 s',
        extract(epoch FROM at)::int / 60, page_id, visitor,
        coalesce(visitor_before::text, ''), coalesce(ref_hash, ''), 1280, 2000,
        1280, 720, {POINTS}, $1, $2, $3, {_BATCH_CODES}
    FROM walk, generate_series(0, 1) AS seq WHERE n % 20 = 0 ORDER BY at
"""
_GOALS = """
    INSERT INTO {table} (site_id, day, goal_id, at, visitor, ref_hash, source, result)
    SELECT {site_id}, '{date}'::date, view_id, at + interval '1 minute',
        CASE WHEN ref_hash IS NULL THEN visitor END, ref_hash, 2 + (n % 2), 1
    FROM walk WHERE page_id = 3 AND n % 12 = 0
"""


async def fill_day(connection: Any, site: Site, day: date, views: int, beacons: int) -> None:
    """`views` page views, each with the first so many beacons of its kind.

    Made apart and attached when it is full: indexes are then built at once, not row by row.
    """
    begin = datetime.combine(day, time(), site.time_zone)
    seconds = (datetime.combine(day + timedelta(days=1), time(), site.time_zone) - begin).seconds
    told = {
        "site_id": site.site_id,
        "date": day,
        "day": day.toordinal(),
        "begin": begin.isoformat(),
        "seconds": seconds or 86_400,
        "visits": views // VIEWS_A_VISIT,
    }
    trail, events = _told_by_script()
    values = {
        "beacon": (_BEACONS, (PHONE[:beacons], DESKTOP[:beacons])),
        "batch": (_BATCHES, (ENC, trail, events)),
        "goal": (_GOALS, ()),
    }
    await make_partitions(connection, [day])
    await connection.execute(_WALK.format(**told))
    for table in RAW:
        query, given = values[table]
        await _fill(connection, table, day, query, told, given)
    await connection.execute("DROP TABLE walk")


async def _fill(
    connection: Any, table: str, day: date, query: str, told: dict[str, Any], given: tuple[Any, ...]
) -> None:
    name = f"{table}_{day:%Y%m%d}"
    async with connection.transaction():
        await connection.execute(f"DROP TABLE {name}")
        await connection.execute(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        await connection.execute(query.format(table=name, **told), *given)
        await connection.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )


def _told_by_script() -> tuple[bytes, bytes]:
    """A trail that rests once, and a click."""
    points = [(200 + 9 * min(n, 20), 300 + 5 * min(n, 20), 60 * n) for n in range(POINTS)]
    return pack_trail(points), pack_events([(Kind.CLICK, 2400, 380, 400, 1, 9, 9, 0, 0)])
