"""Guarded HTTP: public addresses only, rate limits, limits on bytes and seconds, errors in plain words."""
