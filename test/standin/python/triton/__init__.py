"""Stand-in for Triton on a lab host: only its bundled assembler, which a proof of architecture runs."""

__version__ = "3.8.0"
