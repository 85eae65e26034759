"""Every palette, scale and mark on pages of every kind, to look at and to choose from."""
