from __future__ import annotations
import asyncio
import pytest

async def listen(store, said):
    pool = store._pool
    cons = [await pool.acquire() for _ in range(pool.get_max_size())]
    for c in cons:
        c._con.add_query_logger(lambda record: said.append(record.query))
    for c in cons:
        await pool.release(c)

def test_count(gloed, designer, shop):
    said = []
    gloed.do(listen(gloed.store, said))
    base = f"/sites/{shop.public_key}"
    for path in ["/", f"{base}/pages/shipping", f"{base}/pages/shipping", f"{base}/pages/shipping/stalls", f"{base}/pages/shipping/form", f"{base}/check", f"{base}/privacy", f"{base}/pages/shipping?device=phone"]:
        said.clear()
        r = designer.get(path)
        own = [q for q in said if q.split()[0].upper() not in ("BEGIN","COMMIT","ROLLBACK", "COMMIT;", "BEGIN;")]
        print("\n##", path, r.status_code, len(own), len(said))
        for q in own: print("   ", " ".join(q.split())[:110])
