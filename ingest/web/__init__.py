"""The one way out to the network: guarded addresses, rate limits, caps, plain errors."""
