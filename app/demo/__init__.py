"""A small Dutch webshop with simulated visitors: what Gloed shows, without waiting for anybody."""
