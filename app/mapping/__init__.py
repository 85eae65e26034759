"""What is asked of a map → marks on one layout, and what must be said beside."""
