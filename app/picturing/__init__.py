"""What pages look like: pictures and boxes of zones, captured or sent."""
