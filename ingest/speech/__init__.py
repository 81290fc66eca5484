"""Speech recognition: sound to timed text, and figures that say how good the text is."""
