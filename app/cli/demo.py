EXAMPLES = ""


def demo() -> None:
    """Demo."""
