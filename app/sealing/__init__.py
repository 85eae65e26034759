"""The sealing job: a closed day → tiles and daily sums."""
