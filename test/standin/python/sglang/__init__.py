"""Stand-in for SGLang in a lab without GPUs: its command line, its life over Ray, its log, its HTTP, no model."""

__version__ = "0.5.21"
