"""`sglang serve [MODEL] [options]` and `sglang version`."""

import sys

from .. import __version__
from ..srt.launch import import_for_as_long, serve


def main():
    """Entry point of the `sglang` command."""
    command, *rest = sys.argv[1:] or ["--help"]
    if command == "version":
        print(f"sglang version: {__version__}")
        return
    if command != "serve":
        sys.exit("usage: sglang {serve,version} ...")
    import_for_as_long()
    if rest and not rest[0].startswith("-"):
        rest = ["--model-path", *rest]
    serve(rest)
