"""The CUDA device as this stand-in sees it: found through nvidia-smi, guarded by the wheel's architecture list.

A process that makes a CUDA context, or allocates on the device, keeps an abstract socket bound whose name says
so; the stand-in nvidia-smi reads these names. The memory is only spoken of: no byte of it is really taken.
"""

import functools
import os
import shutil
import socket
import subprocess
import warnings

from . import version

CONTEXT_BYTES = 460 * 1024 * 1024  # what a bare CUDA context was seen to take

_held = {}  # device index → [bytes, socket]


class AcceleratorError(RuntimeError):
    """An error that the CUDA runtime reported."""


class OutOfMemoryError(RuntimeError):
    """The device has no room for an allocation."""


AcceleratorError.__module__ = OutOfMemoryError.__module__ = "torch"  # as tracebacks show them


class device:
    """A device: type and index."""

    def __init__(self, of, index=None):
        if isinstance(of, device):
            of, index = of.type, of.index
        elif isinstance(of, int):
            of, index = "cuda", of
        kind, _, number = str(of).partition(":")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self):
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{number})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))


def nvidia_smi():
    """Path of the tool that knows the GPUs; a unit's PATH may be short, so the usual places are tried too."""
    found = shutil.which("nvidia-smi")
    usual = ("/usr/bin/nvidia-smi", "/usr/local/bin/nvidia-smi", "/usr/sbin/nvidia-smi")
    return found or next((path for path in usual if os.access(path, os.X_OK)), None)


@functools.lru_cache(maxsize=1)
def _described():
    """What nvidia-smi says of the GPUs, or None without a driver."""
    tool = nvidia_smi()
    if tool is None:
        return None
    query = [tool, "--query-gpu=index,uuid,name,compute_cap", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return answer.stdout.splitlines() if answer.returncode == 0 else None


@functools.lru_cache(maxsize=1)
def devices():
    """The visible devices: dicts with index, uuid, name, capability; CUDA_VISIBLE_DEVICES is obeyed."""
    if version.cuda is None:
        return []
    found = []
    for line in _described() or []:
        index, uuid, name, capability = (part.strip() for part in line.split(","))
        major, minor = capability.split(".")
        found.append({"index": int(index), "uuid": uuid, "name": name, "capability": (int(major), int(minor))})
    return _visible(found)


def _visible(found):
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return found
    chosen = []
    for entry in wanted.split(","):
        match = [gpu for gpu in found if entry.strip() in (str(gpu["index"]), gpu["uuid"])]
        if not match:
            break  # CUDA ignores everything after the first entry that it does not know
        chosen.append(match[0])
    return chosen


def serves(arch, capability):
    """Whether code built for `arch` (sm_120) runs on a device: same major, minor not above the device's."""
    number = int(arch.removeprefix("sm_").rstrip("af"))
    return number // 10 == capability[0] and number % 10 <= capability[1]


def cuda_error(text, name):
    """The CUDA runtime's error in PyTorch's words, advice included."""
    return AcceleratorError(
        f"CUDA error: {text}\n"
        f"Search for `{name}' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html"
        " for more information.\n"
        "CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below"
        " might be incorrect.\n"
        "For debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
        "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n"
    )


def resolve(of):
    """The physical device behind a torch device; makes the CUDA context as the first use does."""
    if version.cuda is None:
        raise AssertionError("Torch not compiled with CUDA enabled")
    if not devices():
        if _described() is None:
            raise RuntimeError(
                "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed"
                " a driver from http://www.nvidia.com/Download/index.aspx"
            )
        raise RuntimeError("No CUDA GPUs are available")
    ordinal = of.index or 0
    if ordinal >= len(devices()):
        raise cuda_error("invalid device ordinal", "cudaErrorInvalidDevice")
    gpu = devices()[ordinal]
    if gpu["index"] not in _held:
        _warn_unsupported(ordinal, gpu)
        hold(gpu, CONTEXT_BYTES)
    return gpu


def launch(of, archs=None):
    """What every kernel launch does first: find code for the device, or fail as CUDA fails."""
    gpu = resolve(of)
    if not any(serves(arch, gpu["capability"]) for arch in (version.arch_list if archs is None else archs)):
        raise cuda_error(
            "no kernel image is available for execution on the device", "cudaErrorNoKernelImageForDevice"
        )


def hold(gpu, size):
    """Hold `size` more bytes of a device (fewer, when negative) for as long as this process lives."""
    taken, bound = _held.get(gpu["index"], (0, None))
    taken += size
    with open("/proc/self/stat", encoding="utf-8") as file:
        started = file.read().rpartition(")")[2].split()[19]
    name = f"\0windlass-standin-gpu/{gpu['index']}/{os.getpid()}/{started}/{taken}"
    fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    fresh.bind(name)
    if bound is not None:
        bound.close()
    _held[gpu["index"]] = (taken, fresh)


def _warn_unsupported(ordinal, gpu):
    major, minor = gpu["capability"]
    if any(serves(arch, gpu["capability"]) for arch in version.arch_list):
        return
    built = sorted(int(arch.removeprefix("sm_").rstrip("af")) for arch in version.arch_list)
    lines = [
        f"Found GPU{ordinal} {gpu['name']} which is of compute capability (CC) {major}.{minor}.",
        "The following list shows the CCs this version of PyTorch was built for and the hardware CCs it supports:",
        *(f"- {cc // 10}.{cc % 10} which supports hardware CC >={cc // 10}.{cc % 10},<{cc // 10 + 1}.0" for cc in built),
        f"Your installed torch=={version.__version__} does not include kernels for this GPU. Reinstall the same"
        " version against a CUDA build that does, e.g.:",
        f"  For CUDA 13.0 use pip install torch=={version.__version__.partition('+')[0]}"
        " --index-url https://download.pytorch.org/whl/cu130",
    ]
    warnings.warn("\n".join(lines), stacklevel=4)
