"""One page of a shop as a reader sees it: maps, contrasts, comparisons, shares, in words."""
