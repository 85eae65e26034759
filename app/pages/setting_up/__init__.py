"""What owners and editors arrange: snippets, zones, pictures, settings, members, notices."""
