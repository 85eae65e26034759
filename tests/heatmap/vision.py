"""How colours look: CIELAB, the contrast of text, and eyes that tell fewer hues apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.page import FloatArray

XYZ_OF_RGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE_XYZ = XYZ_OF_RGB.sum(axis=1)
"""sRGB under D65."""

DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB."""

EYES = ("normal", *DEFICIENCIES)


def linear(rgb: ArrayLike) -> FloatArray:
    values = np.asarray(rgb, dtype=np.float64)
    return np.asarray(
        np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    )


def seen_by(eyes: str, rgb: ArrayLike) -> FloatArray:
    """sRGB 0..1 as it looks to such eyes."""
    if eyes == "normal":
        return np.asarray(rgb, dtype=np.float64)
    light = np.clip(linear(rgb) @ np.array(DEFICIENCIES[eyes]).T, 0, 1)
    return np.asarray(
        np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    )


def lab(rgb: ArrayLike) -> FloatArray:
    """CIE L*a*b* of sRGB 0..1."""
    xyz = linear(rgb) @ XYZ_OF_RGB.T / WHITE_XYZ
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def lightness(rgb: ArrayLike) -> FloatArray:
    return np.asarray(lab(rgb)[..., 0])


def difference(one: ArrayLike, other: ArrayLike) -> FloatArray:
    """Distance in L*a*b* (CIE 1976): 2.3 is just seen side by side."""
    return np.asarray(np.linalg.norm(lab(one) - lab(other), axis=-1))


def contrast(one: ArrayLike, other: ArrayLike) -> float:
    """Of text and its ground by WCAG: 1 to 21."""
    dark, light = sorted(float(linear(rgb) @ XYZ_OF_RGB[1]) for rgb in (one, other))
    return (light + 0.05) / (dark + 0.05)


def over(table: NDArray[np.uint8], ground: ArrayLike) -> FloatArray:
    """Rows of a table, (..., 4), as they look on a ground, sRGB 0..1."""
    rows = table / 255
    alpha = rows[..., 3:]
    return np.asarray(rows[..., :3] * alpha + np.asarray(ground) * (1 - alpha))
