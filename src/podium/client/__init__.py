"""The SDK: a typed, synchronous HTTP client. `podium.Client` is its front door."""
