"""The launcher's own first request: it waits for its HTTP, generates once, and says that it is ready."""

import json
import logging
import time
import urllib.request

from . import controls
from .server_status import Status
from .shutdown import kill_process_tree

logger = logging.getLogger(__name__)


class WarmUp:
    """One warm-up of a server (run on a thread)."""

    def __init__(self, args, status):
        self._status = status
        self._skip = args.skip_server_warmup
        host = "127.0.0.1" if args.host == "0.0.0.0" else args.host
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{args.port}"
        self._headers = {"Content-Type": "application/json", "x-standin-warmup": "1"}
        if args.api_key:
            self._headers["Authorization"] = f"Bearer {args.api_key}"

    def run(self):
        try:
            self._wait_for_http()
            controls.phase("warmup", "launcher")
            self._status.generating = True
            if not self._skip:
                sampling = {"max_new_tokens": 8, "temperature": 0}
                self._ask("/generate", 600, {"text": "The capital city of France is", "sampling_params": sampling})
        except OSError as error:
            logger.error("Initialization failed. warmup error: %s", error)
            kill_process_tree()
        self._status.now = Status.UP
        logger.info("The server is fired up and ready to roll!")

    def _wait_for_http(self):
        """Ask for the model's description again and again, for two minutes."""
        end = time.monotonic() + 120
        while True:
            time.sleep(1 / controls.speed())
            try:
                self._ask("/model_info", 5)
                return
            except OSError:  # nobody there yet, or a stranger's server answers on this port
                if time.monotonic() > end:
                    raise

    def _ask(self, path, limit, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, headers=self._headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=limit) as answer:
            return answer.read()
