"""The launcher's side of generation: prompts become tokens for rank 0, text comes back from the detokenizer."""

import asyncio
import json
import socket
import time
import uuid

from ..distributed.wire import receive_frame, send_frame
from ..model.tokenizer import Tokenizer


class TokenizerManager:
    """Requests in flight, by id. Answers arrive on a thread and are handed to the event loop."""

    def __init__(self, args, folder, ipc):
        self.args = args
        self.tokenizer = Tokenizer(folder)
        self.last_heard = 0.0
        self._ipc = ipc
        self._queues = {}
        self._scheduler = None
        self._detokenizer = socket.socket(socket.AF_UNIX)
        self._detokenizer.connect(f"\0{ipc}/detokenizer")

    def connect_scheduler(self):
        """Reach rank 0; to be called once its loop was started."""
        end = time.monotonic() + 60
        while True:
            self._scheduler = socket.socket(socket.AF_UNIX)
            try:
                self._scheduler.connect(f"\0{self._ipc}/scheduler")
                return
            except OSError:
                self._scheduler.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    @property
    def in_flight(self):
        return len(self._queues)

    def listen(self, loop):
        """Read what the detokenizer says, for ever (on a thread)."""
        while True:
            try:
                piece = json.loads(receive_frame(self._detokenizer))
            except (EOFError, OSError):
                return  # whoever watches the detokenizer process says what happened
            self.last_heard = time.time()
            queue = self._queues.get(piece["rid"])
            if queue is not None:
                loop.call_soon_threadsafe(queue.put_nowait, piece)

    async def generate(self, tokens, max_new_tokens=None, ignore_eos=False, warmup=False):
        """Yield the pieces of an answer: {"text" so far, "token", "count", "finished"}."""
        room = max(1, self.args.context_length - len(tokens))
        rid = uuid.uuid4().hex
        queue = self._queues[rid] = asyncio.Queue()
        request = {
            "rid": rid,
            "tokens": tokens,
            "max_new_tokens": min(max_new_tokens or room, room),
            "ignore_eos": ignore_eos,
            "end": self.tokenizer.end,
            "warmup": warmup,
        }
        finished = False
        try:
            send_frame(self._scheduler, json.dumps(request).encode())
            while not finished:
                piece = await queue.get()
                finished = bool(piece["finished"])
                yield piece
        finally:
            del self._queues[rid]
            if not finished:
                send_frame(self._scheduler, json.dumps({"abort": rid}).encode())

    async def complete(self, tokens, **options):
        """The last piece of an answer."""
        last = None
        async for piece in self.generate(tokens, **options):
            last = piece
        return last
