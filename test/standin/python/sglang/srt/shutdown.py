"""How the launcher ends: by SIGTERM it drains, takes its child down, rests, and kills its own process tree.

Its exit code is therefore 137 (-9) also when it was asked politely. The actors die because their driver is gone.
"""

import asyncio
import contextlib
import glob
import logging
import os
import signal
import threading
import time

from . import controls
from .server_status import Status

logger = logging.getLogger(__name__)


def kill_process_tree():
    """Kill the children of this process, then itself."""
    own = os.getpid()
    logger.info("kill_process_tree called: parent_pid=%d, include_parent=True, pid=%d", own, own)
    children = []
    for path in glob.glob("/proc/self/task/*/children"):
        with open(path, encoding="utf-8") as file:
            children += map(int, file.read().split())
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.kill(own, signal.SIGKILL)


class Ending:
    """Signals and the death of the detokenizer, from the launch on."""

    def __init__(self, status, detokenizer):
        self._status = status
        self._detokenizer = detokenizer
        self._serving = False
        signal.signal(signal.SIGQUIT, self._on_quit)
        threading.Thread(target=self._watch, daemon=True).start()

    def take_signals(self, loop, manager):
        """Drain on SIGTERM. Called when HTTP is bound: until then uvicorn or Ray decide what a signal does."""
        self._serving = True
        loop.add_signal_handler(signal.SIGTERM, lambda: self._on_term(loop, manager))

    def _on_term(self, loop, manager):
        logger.info("SIGTERM received. signum=None frame=None. Draining requests and shutting down...")
        self._status.now = Status.STOPPING
        loop.create_task(self._drain(manager))

    async def _drain(self, manager):
        """Give requests that still move a moment to end; those that hang are cut off with the rest."""
        end = time.monotonic() + 1 / controls.speed()
        while manager.in_flight and time.monotonic() < end:
            await asyncio.sleep(0.05)
        self._detokenizer.terminate()

    def _watch(self):
        code = self._detokenizer.wait()
        logger.error(
            "Subprocess detokenizer (pid=%d) crashed with exit code %d. Triggering SIGQUIT for cleanup...",
            self._detokenizer.pid,
            code,
        )
        os.kill(os.getpid(), signal.SIGQUIT)

    def _on_quit(self, _signum, _frame):
        if not self._serving:
            logger.error("Received sigquit from a child process. It usually means the child failed.")
            kill_process_tree()
        logger.error("SIGQUIT received. signum=None, frame=None. It usually means one child failed.")
        logger.error("Sleeping 5 seconds before crash diagnostics to let GPU activity settle.")
        controls.pause(5)
        logger.error("No live scheduler processes found; skipping py-spy and CUDA coredump.")
        kill_process_tree()
