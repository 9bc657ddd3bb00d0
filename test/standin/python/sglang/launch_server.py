"""`python -m sglang.launch_server`: the older way in, which still works and says so."""

import sys
import warnings

from sglang.srt.launch import import_for_as_long, serve


def main():
    """Import for as long as the real engine does, then serve."""
    import_for_as_long()
    warnings.warn(
        "'python -m sglang.launch_server' is still supported, but 'sglang serve' is the recommended entrypoint.\n"
        "  Example: sglang serve --model-path <model> [options]",
        stacklevel=1,
    )
    serve(sys.argv[1:])


if __name__ == "__main__":
    main()
