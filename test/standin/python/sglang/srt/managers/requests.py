"""Rank 0's other half: requests come in from the launcher, tokens go out to the detokenizer, step by step.

Running requests take turns, one token each, so that a long answer does not hold up a health check.
"""

import json
import logging
import socket
import time

from ..distributed.wire import receive_frame, send_frame
from .. import controls

logger = logging.getLogger(__name__)


def _abstract(name):
    return f"\0{name}"


class RequestLoop:
    """Serves the launcher that was given the same `ipc` name."""

    def __init__(self, scheduler, ipc):
        self.scheduler = scheduler
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(_abstract(f"{ipc}/scheduler"))
        self._listener.listen(4)
        # Kept for the life of the process, also when the loop breaks: nobody is to notice by a closed socket.
        self._launcher = None
        self._detokenizer = socket.socket(socket.AF_UNIX)
        self._ipc = ipc
        self._running = []

    def run(self):
        self._launcher, _ = self._listener.accept()
        self._detokenizer.connect(_abstract(f"{self._ipc}/detokenizer"))
        while True:
            self._take()
            for request in list(self._running):
                token = self._step(request)
                finished = self._finish_reason(request, token)
                piece = {"rid": request["rid"], "token": token, "finished": finished}
                send_frame(self._detokenizer, json.dumps(piece).encode())
                if finished:
                    self._running.remove(request)

    def _take(self):
        """Take all requests that wait; with none running, wait for one (or for the loss of a rank)."""
        while True:
            ready = self.scheduler.gloo.readable([self._launcher], timeout=0 if self._running else None)
            if self._launcher not in ready:
                return
            request = json.loads(receive_frame(self._launcher))
            if "abort" in request:
                self._running = [other for other in self._running if other["rid"] != request["abort"]]
            else:
                self._running.append({**request, "made": 0})

    def _step(self, request):
        first = request["made"] == 0
        began = time.time()
        new = len(request["tokens"]) if first else 1
        step = {"prefill": first, "new_tokens": new, "time": began}
        token = self.scheduler.run_through_ranks(step, request["tokens"])
        if first and request.get("warmup"):
            controls.compile_kernels(15.8 / controls.speed())
        request["tokens"].append(token)
        request["made"] += 1
        if request["made"] % self.scheduler.args.decode_log_interval == 0:
            rate = 1 / max(0.0001, time.time() - began)
            logger.info(
                "Decode batch, #running-req: %d, #token: %d, token usage: 0.00, cuda graph: False, gen throughput"
                " (token/s): %.2f, #queue-req: 0",
                len(self._running),
                len(request["tokens"]),
                rate,
            )
        return token

    def _finish_reason(self, request, token):
        if token == request["end"] and not request["ignore_eos"]:
            return "stop"
        full = len(request["tokens"]) >= self.scheduler.args.context_length
        return "length" if full or request["made"] >= request["max_new_tokens"] else None
