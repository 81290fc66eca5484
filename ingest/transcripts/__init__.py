"""Transcript documents: ours, publishers', imported ones, and every form they are given out in."""
