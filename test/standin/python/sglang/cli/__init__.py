"""Command line of the stand-in: `sglang serve`."""
