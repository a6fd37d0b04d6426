"""Virtual time over the same scheduling code that serves production."""
