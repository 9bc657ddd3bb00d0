"""Addresses of network interfaces, chosen by the same variables and rules as Gloo and NCCL choose them."""

import fcntl
import os
import socket
import struct
import sys
import time

from ..log import native

_SIOCGIFADDR = 0x8915


def interface_address(name):
    """IPv4 address of an interface, or None when it is missing or has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name[:15].encode()))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def gloo_address():
    """Where Gloo listens: the interface of GLOO_SOCKET_IFNAME, else what the host's name resolves to."""
    name = os.environ.get("GLOO_SOCKET_IFNAME")
    if name:
        address = interface_address(name)
        if address is None:
            raise RuntimeError(
                "[enforce fail at /pytorch/third_party/gloo/gloo/transport/tcp/device.cc:84] ifa != nullptr."
                f" Unable to find address for: {name}\n"
            )
        return address
    try:
        address = socket.gethostbyname(socket.gethostname())
        with socket.socket() as probe:
            probe.bind((address, 0))
        return address
    except OSError:
        native(
            "[W ProcessGroupGloo.cpp:760] Warning: Unable to resolve hostname to a (local) address. Using the"
            " loopback address as fallback. Manually set the network interface to bind to with"
            " GLOO_SOCKET_IFNAME. (function operator())"
        )
        return "127.0.0.1"


def nccl_address():
    """Where NCCL listens: NCCL_SOCKET_IFNAME with its `=` (exact) and `^` (not) forms, else the first real interface."""
    wanted = os.environ.get("NCCL_SOCKET_IFNAME", "")
    names = [name for _, name in socket.if_nameindex()]
    exact, exclude = wanted.startswith("="), wanted.startswith("^")
    listed = [part for part in wanted.lstrip("=^").split(",") if part]
    if exact:
        chosen = [name for name in listed if name in names]
    elif exclude:
        chosen = [name for name in names if not name.startswith(tuple(listed))]
    elif listed:
        chosen = [name for name in names if name.startswith(tuple(listed))]
    else:
        real = [name for name in names if not name.startswith(("lo", "docker"))]
        chosen = real + [name for name in names if name not in real]
    for name in chosen:
        address = interface_address(name)
        if address is not None:
            return address
    host, pid = socket.gethostname(), os.getpid()
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    where = f"{host}:{pid}:{pid} [0] bootstrap.cc:114"
    print(f"\n[{when}] {where} NCCL WARN Bootstrap : no socket interface found", file=sys.stderr, flush=True)
    raise RuntimeError("NCCL error: invalid usage (run with NCCL_DEBUG=WARN for details)")
