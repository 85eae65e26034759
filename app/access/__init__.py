"""Who may see and change what: accounts, sessions, keys, signed links."""
