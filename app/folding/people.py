"""Who is one person: the same hash, yesterday's hash past midnight, the same reference.

A person is called by the smallest of their hashes. Whole days are joined at once, as columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from app.folding.columns import Rows

REF_BYTES = 16
"""Of the hash of a reference (`collector/visitor.py`)."""

NO_REF = bytes(REF_BYTES)
"""In place of null: the one hash of 2^128 that no reference will have."""

LINK = {"visitor": "i8", "before": "i8", "ref": f"S{REF_BYTES}"}
"""What one opening says of its visitor; without a hash of yesterday `before` is the visitor."""

Hashes = NDArray[np.int64]
Refs = NDArray[np.bytes_]
Mask = NDArray[np.bool_]


class People:
    """Made of every link of the days in question; whoever is in none is a person alone."""

    def __init__(self, links: Rows) -> None:
        visitors, before = links["visitor"], links["before"]
        hashes: Hashes = np.unique(np.concatenate([visitors, before]))
        stayed = before != visitors
        # numpy drops trailing zeros of fixed bytes: no reference compares as none at all.
        referred = links["ref"] != b""
        refs, ref_at = np.unique(links["ref"][referred], return_inverse=True)
        one = np.concatenate([visitors[stayed], visitors[referred]])
        other = np.concatenate(
            [_places(hashes, before[stayed]), (len(hashes) + ref_at.ravel()).astype(np.int32)]
        )
        label = _labels(_places(hashes, one), other, len(hashes) + len(refs))
        # Sorted hashes come first, so where a label first appears is its smallest hash.
        _, smallest = np.unique(label, return_index=True)
        person = hashes[smallest[label]]
        self._hashes, self._person = hashes, person[: len(hashes)]
        self._refs, self._bearer = refs, person[len(hashes) :]

    def of(self, visitors: Hashes) -> Hashes:
        """The person of each visitor."""
        found, at = _look_up(self._hashes, visitors)
        persons: Hashes = visitors.copy()
        persons[found] = self._person[at]
        return persons

    def bear(self, wanted: Hashes, refs: Refs) -> Mask:
        """Which of the references are borne by one of the wanted persons."""
        found, at = _look_up(self._refs, refs)
        found[found] = is_among(wanted, self._bearer[at])
        return found


def is_among(wanted: Hashes, values: Hashes) -> Mask:
    """Which of the values are wanted; those wanted are sorted."""
    return _look_up(wanted, values)[0]


Places = NDArray[np.int32]
"""Half as wide as numpy's own: there are millions of links."""


def _places(keys: Hashes, values: Hashes) -> Places:
    return np.searchsorted(keys, values).astype(np.int32)


def _labels(one: Places, other: Places, n: int) -> Places:
    links = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(n, n))
    label: Places = connected_components(links, directed=False)[1]
    return label


def _look_up(keys: NDArray[Any], values: NDArray[Any]) -> tuple[Mask, NDArray[np.intp]]:
    """Which values are among the sorted keys, and at which place those are."""
    at = np.searchsorted(keys, values)
    found: Mask = at < len(keys)
    found[found] = keys[at[found]] == values[found]
    return found, at[found]
