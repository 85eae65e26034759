"""The optional script: its readable source, and what is served of it."""
