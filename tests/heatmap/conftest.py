from __future__ import annotations

from hypothesis import settings

# A slow machine is no failure, and the same commit must always give the same verdict.
settings.register_profile("heatmap", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("heatmap")
