"""What is wrong with an installation, a page or a stylesheet, and what to do about it."""
