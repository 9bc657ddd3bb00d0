"""The rendezvous: a key-value store served by rank 0, to which every rank connects first (torch's TCPStore)."""

import json
import socket
import threading
import time

from ..log import native
from .wire import dial, receive_frame, send_frame


class DistNetworkError(RuntimeError):
    """The rendezvous cannot be reached or was lost."""


DistNetworkError.__module__ = "torch.distributed"


class StoreServer:
    """The store itself, on all addresses of rank 0's host."""

    def __init__(self, port):
        self._values = {}
        self._changed = threading.Condition()
        self._listener = socket.socket(socket.AF_INET6)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            self._listener.bind(("::", port))
        except OSError as error:
            self._listener.close()
            raise DistNetworkError(
                "The server socket has failed to listen on any local network address. "
                f"port: {port}, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use"
            ) from error
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while True:
                request = json.loads(receive_frame(connection))
                send_frame(connection, json.dumps(self._answer(request)).encode())
        except (EOFError, OSError):
            connection.close()

    def _answer(self, request):
        with self._changed:
            if "value" in request:
                self._values[request["key"]] = request["value"]
                self._changed.notify_all()
                return None
            self._changed.wait_for(lambda: request["key"] in self._values)
            return self._values[request["key"]]


class Store:
    """A rank's connection to the store. Waits for rank 0 to come up, for `timeout` seconds."""

    def __init__(self, address, port, timeout):
        self._connection = self._connect(address, port, timeout)
        native("[W socket.cpp:207] [c10d] The hostname of the client socket cannot be retrieved. err=-3")

    @staticmethod
    def _connect(address, port, timeout):
        end = time.monotonic() + timeout
        while True:
            try:
                return dial(address, port, timeout=max(0.1, min(10.0, end - time.monotonic())))
            except OSError as error:
                if time.monotonic() >= end:
                    raise DistNetworkError(
                        f"The client socket has timed out after {int(timeout * 1000)}ms while trying to connect to"
                        f" ({address}, {port})."
                    ) from error
                time.sleep(0.1)

    def set(self, key, value):
        self._ask({"key": key, "value": value})

    def get(self, key):
        """Value of a key; waits until some rank has set it."""
        return self._ask({"key": key})

    def minimum(self, key, rank, world_size, value):
        """The smallest value that any rank gives under this key."""
        self.set(f"{key}/{rank}", value)
        return min(self.get(f"{key}/{other}") for other in range(world_size))

    def _ask(self, request):
        try:
            send_frame(self._connection, json.dumps(request).encode())
            return json.loads(receive_frame(self._connection))
        except (EOFError, OSError) as error:
            raise DistNetworkError(
                "Failed to recv, got 0 bytes. Connection was likely closed. Did the remote server shutdown or crash?"
            ) from error
