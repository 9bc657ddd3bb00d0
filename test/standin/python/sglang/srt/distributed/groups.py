"""Connections between ranks: a full mesh of Gloo pairs for small things, a ring of NCCL sockets for hidden states.

Each listens on the address that its own variable names on its own host, so that a wrong interface fails, or stays
hidden, where it does with the real libraries.
"""

import json
import select
import socket
import threading

from . import wire
from .interfaces import gloo_address, nccl_address


def _listen(address):
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen(64)
    return listener


def _accept(listener, wanted):
    """Accept connections that introduce themselves, until all wanted ranks have come."""
    found = {}
    while wanted - found.keys():
        connection, _ = listener.accept()
        found[json.loads(wire.receive_frame(connection))] = wire.prepared(connection)
    return found


class GlooGroup:
    """One connection between every two ranks. Of a pair, the side with the higher address connects."""

    def __init__(self, store, rank, world_size):
        address = gloo_address()
        listener = _listen(address)
        store.set(f"gloo/{rank}", [address, listener.getsockname()[1]])
        mine = self._order(listener.getsockname())
        others = {other: store.get(f"gloo/{other}") for other in range(world_size) if other != rank}
        awaited = {other for other, place in others.items() if mine < self._order(place)}
        self.pairs = {}
        accepting = threading.Thread(target=lambda: self.pairs.update(_accept(listener, awaited)), daemon=True)
        accepting.start()
        for other, (host, port) in others.items():
            if other not in awaited:
                self.pairs[other] = self._connect(host, port, rank)
        accepting.join()
        self.peers = {connection: other for other, connection in self.pairs.items()}
        self._names = {other: "[{}]:{}".format(*pair.getpeername()) for other, pair in self.pairs.items()}

    @staticmethod
    def _order(place):
        return socket.inet_aton(place[0]), place[1]

    @staticmethod
    def _connect(host, port, rank):
        try:
            connection = wire.dial(host, port)
        except OSError as error:
            raise RuntimeError(
                "Gloo connectFullMesh failed with [/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:1032]"
                f" connect: {error.strerror}, remote=[{host}]:{port}"
            ) from error
        wire.send_frame(connection, json.dumps(rank).encode())
        return connection

    def send(self, other, value):
        self._guard(other, lambda pair: wire.send_frame(pair, json.dumps(value).encode()))

    def receive(self, other):
        """The next value from a rank; fails when any rank of the mesh goes away meanwhile."""
        while self.pairs[other] not in self.readable():
            pass
        return self._guard(other, lambda pair: json.loads(wire.receive_frame(pair)))

    def readable(self, also=(), timeout=None):
        """Connections with something to read, among the pairs and `also`; a pair that has ended is an error."""
        ready, _, _ = select.select([*self.peers, *also], [], [], timeout)
        for connection in ready:
            if connection in self.peers:
                self._guard(self.peers[connection], self._peek)
        return ready

    @staticmethod
    def _peek(pair):
        if not pair.recv(1, socket.MSG_PEEK):
            raise EOFError

    def _guard(self, other, act):
        pair = self.pairs[other]
        try:
            return act(pair)
        except (EOFError, OSError) as error:
            raise RuntimeError(
                "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:538] Read error"
                f" {self._names[other]}: {getattr(error, 'strerror', None) or 'Connection closed by peer'}"
            ) from error


class NcclRing:
    """A socket to the next rank and one from the rank before; the last is followed by the first."""

    def __init__(self, store, rank, world_size):
        address = nccl_address()
        listener = _listen(address)
        store.set(f"nccl/{rank}", [address, listener.getsockname()[1]])
        host, port = store.get(f"nccl/{(rank + 1) % world_size}")
        self._next = wire.dial(host, port)
        wire.send_frame(self._next, json.dumps(rank).encode())
        before = (rank - 1) % world_size
        self._before = _accept(listener, {before})[before]

    def send(self, data):
        self._guard(lambda: wire.send_frame(self._next, data))

    def receive(self):
        return self._guard(lambda: wire.receive_frame(self._before))

    @staticmethod
    def _guard(act):
        try:
            return act()
        except (EOFError, OSError) as error:
            raise RuntimeError("NCCL error: remote process exited or there was a network error") from error
