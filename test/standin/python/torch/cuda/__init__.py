"""`torch.cuda` of the stand-in: what the GPU is, according to nvidia-smi, and what this wheel was built for."""

from .. import version
from .._device import AcceleratorError, OutOfMemoryError, device, devices, nvidia_smi, resolve

__all__ = ["AcceleratorError", "OutOfMemoryError"]

_current = 0


def is_available():
    return len(devices()) > 0


def device_count():
    return len(devices())


def current_device():
    resolve(device("cuda", _current))
    return _current


def set_device(of):
    global _current
    _current = device(of).index or 0
    resolve(device("cuda", _current))


def init():
    resolve(device("cuda", _current))


def is_initialized():
    from .._device import _held

    return len(_held) > 0


def _of(of):
    return resolve(device("cuda", _current) if of is None else device(of))


def get_device_name(device=None):
    return _of(device)["name"]


def get_device_capability(device=None):
    return _of(device)["capability"]


class _Properties:
    """What get_device_properties returns: name, capability, total memory."""

    def __init__(self, gpu):
        self.name = gpu["name"]
        self.major, self.minor = gpu["capability"]
        self.uuid = gpu["uuid"].removeprefix("GPU-")
        self.total_memory = _meminfo("MemTotal")

    def __repr__(self):
        return f"_CudaDeviceProperties(name='{self.name}', major={self.major}, minor={self.minor}, uuid={self.uuid})"


def get_device_properties(device=None):
    return _Properties(_of(device))


def get_arch_list():
    """Architectures of this wheel; empty where CUDA is not available, as in PyTorch."""
    return list(version.arch_list) if is_available() else []


def mem_get_info(device=None):
    """(free, total) bytes. The memory is the machine's own, less what stand-in processes say they hold."""
    _of(device)
    return max(0, _meminfo("MemAvailable") - _held_by_all()), _meminfo("MemTotal")


def synchronize(device=None):
    _of(device)


def empty_cache():
    """Nothing is cached."""


def _meminfo(key):
    with open("/proc/meminfo", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{key}:"))


def _held_by_all():
    import subprocess

    query = [nvidia_smi(), "--query-compute-apps=used_memory", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, check=True)
    return sum(int(line) for line in answer.stdout.split()) * 1024 * 1024
