"""Where a reader begins: the shops, and each shop with its pages."""
