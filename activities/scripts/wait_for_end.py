"""Wait until one of some processes has ended, or whoever asked has: wait_for_end.py PID...

The kernel tells of an end (pidfd), so that nothing is asked again and again. Prints "waiting" once every process is
watched, and exits with 0 when one has ended. Any other exit means that this machine, or its Python (3.9 or newer),
cannot wait in this way.
"""

import os
import select
import sys

ASKER = 0  # standard input: a pipe that breaks when the program at its other end is gone


def main():
    ends = select.poll()
    ends.register(ASKER, 0)
    for pid in sys.argv[1:]:
        try:
            ends.register(os.pidfd_open(int(pid)), select.POLLIN)
        except ProcessLookupError:
            return
    print("waiting", flush=True)
    ends.poll()


main()
