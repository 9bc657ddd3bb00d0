"""How a test steers this stand-in: speed of its silences, hanging at a phase, dying after a while.

Read from the environment and from /etc/windlass-lab/engine.json of the host (same keys; the environment wins),
so that a test can reach ranks whose environment is decided by somebody else:

  STANDIN_SPEED         1 = silences as long as the real engine's, 20 (default) = a twentieth of them
  STANDIN_SILENT_S      seconds of silence in the first generation, spent compiling in a child process
  STANDIN_EXIT_AFTER_S  seconds after which the process exits with code 1
  STANDIN_HANG_AT       imports | placement | rendezvous | weights | kv | warmup: stop there for ever
  STANDIN_ANSWER        empty: completions hold no text, while health and the list of models are as ever
  STANDIN_WHO           launcher | rank: whom exit and hang concern (default: whoever reads them)

Only silences scale with the speed. Time-outs, and the seconds named above, are real seconds.
"""

import json
import os
import subprocess
import sys
import threading
import time

_FILE = "/etc/windlass-lab/engine.json"
# A compiler at work as a supervisor sees it: a child that uses some CPU time and prints nothing.
_COMPILE = "import sys, time\nend = time.time() + float(sys.argv[1])\nwhile time.time() < end:\n    t = time.time() + .03\n    while time.time() < t: pass\n    time.sleep(.12)\n"


def _read(key):
    if key in os.environ:
        return os.environ[key]
    try:
        with open(os.environ.get("STANDIN_ENGINE_JSON", _FILE), encoding="utf-8") as file:
            return json.load(file).get(key)
    except FileNotFoundError:
        return None


def _concerns(who):
    return _read("STANDIN_WHO") in (None, "", who)


def speed():
    """How much faster than the real engine the silences pass."""
    return float(_read("STANDIN_SPEED") or 20)


def pause(seconds, spent=0.0):
    """Be silent for as long as the real engine was, divided by the speed, less what was already spent."""
    time.sleep(max(0.0, seconds / speed() - spent))


def phase(name, who):
    """Enter a phase: hang in it, using no CPU, if that was asked for."""
    while _read("STANDIN_HANG_AT") == name and _concerns(who):
        time.sleep(3600)


def arm_exit(who):
    """Exit after the time that was asked for, if any."""
    after = _read("STANDIN_EXIT_AFTER_S")
    if after is None or not _concerns(who):
        return
    timer = threading.Timer(float(after), os._exit, [1])
    timer.daemon = True
    timer.start()


def compile_kernels(seconds):
    """Silence of a first use: a child process works, nothing is printed."""
    if seconds > 0:
        subprocess.run([sys.executable, "-S", "-c", _COMPILE, str(seconds)], check=False)


def answers_nothing():
    """Are completions to hold no text?"""
    return _read("STANDIN_ANSWER") == "empty"


def extra_silence():
    """Seconds of silence asked for in the first generation."""
    return float(_read("STANDIN_SILENT_S") or 0)
