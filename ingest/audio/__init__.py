"""Audio: downloads and decoding."""
