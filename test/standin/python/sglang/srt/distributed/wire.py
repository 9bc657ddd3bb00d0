"""Frames on a TCP connection: four bytes of length, then the bytes."""

import socket
import struct


def dial(address, port, timeout=None):
    """Connect to an address."""
    connection = socket.create_connection((address, port), timeout=timeout)
    connection.settimeout(None)
    return prepared(connection)


def prepared(connection):
    """Small frames go out at once; the death of this side is a reset for the other, as seen with Gloo."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return connection


def send_frame(connection, data):
    connection.sendall(struct.pack("<I", len(data)) + data)


def receive_frame(connection):
    """The next frame; EOFError when the other side has closed."""
    (length,) = struct.unpack("<I", _exactly(connection, 4))
    return _exactly(connection, length)


def _exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
