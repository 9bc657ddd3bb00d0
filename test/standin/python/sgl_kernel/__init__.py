"""Stand-in for SGLang's kernel package (distribution sglang-kernel): two kernels computed in plain Python.

They run only where this wheel holds code for the device, and fail in the real package's words elsewhere. The
wheel's own architecture list is kept apart from PyTorch's: a right list there and no code here is one of the
cases that a proof has to find.
"""

import json
import math
import os

import torch
from torch._device import resolve, serves

__version__ = "0.4.7"

with open(os.path.join(os.path.dirname(__file__), "_standin.json"), encoding="utf-8") as _file:
    _archs = json.load(_file)["archs"]

_NO_IMAGE = "no kernel image is available for execution on the device"


def _load_common_ops():
    if torch.version.cuda is not None:
        return
    raise ImportError(
        "\n[sgl_kernel] CRITICAL: Could not load any common_ops library!\n\n"
        "GPU Info:\n- Compute capability: None\n- Expected variant: CPU/No GPU detected (using precise math)\n"
        f"- CUDA version: {torch.version.cuda}\n\n"
        "Please ensure sgl_kernel is properly installed with:\npip install --upgrade sglang-kernel\n\n"
        "Error details from previous import attempts:\n"
        "- ImportError: libc10_cuda.so: cannot open shared object file: No such file or directory\n"
    )


_load_common_ops()


def _run(name, input, per_row, width):
    """Run a kernel over the rows of a CUDA tensor, if this wheel holds code for its device."""
    if not input.is_cuda:
        raise RuntimeError("input must be a CUDA tensor")
    capability = resolve(input.device)["capability"]
    if not any(serves(arch, capability) for arch in _archs):
        raise RuntimeError(f"{name} failed with error code {_NO_IMAGE}")
    values, step = input.values(), input.shape[-1]
    rows = (values[start : start + step] for start in range(0, len(values), step))
    out = [input.dtype.round(value) for row in rows for value in per_row(row)]
    return torch.Tensor(out, (*input.shape[:-1], width), input.dtype, input.device)


def rmsnorm(input, weight, eps=1e-6, out=None, enable_pdl=None):
    """Root-mean-square norm over the last dimension, times a weight."""
    return _run("RMSNorm", input, lambda row: _rmsnorm_row(row, weight.values(), eps), input.shape[-1])


def silu_and_mul(input, out=None):
    """silu(first half) · second half of the last dimension."""
    return _run("SiluAndMul", input, _silu_and_mul_row, input.shape[-1] // 2)


def _rmsnorm_row(row, weight, eps):
    scale = 1.0 / math.sqrt(math.fsum(value * value for value in row) / len(row) + eps)
    return [value * scale * factor for value, factor in zip(row, weight)]


def _silu_and_mul_row(row):
    half = len(row) // 2
    return [gate / (1.0 + math.exp(-gate)) * up for gate, up in zip(row[:half], row[half:])]
