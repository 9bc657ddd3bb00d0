"""The functions of the `torch` namespace that a small proof uses."""

import contextlib
import math
import random

from . import _dtypes
from ._device import device as make_device
from ._device import launch
from ._tensor import Tensor

_random = random.Random(0)


def manual_seed(seed):
    _random.seed(seed)


def _shape(size):
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)


def _filled(shape, values, dtype, device):
    """A tensor filled by a kernel (a fill on the device needs code for the device; an empty one does not)."""
    on = make_device(device or "cpu")
    kind = dtype or _dtypes.float32
    if on.type == "cuda":
        launch(on)
    return Tensor([kind.round(value) for value in values], shape, kind, on)


def empty(*size, dtype=None, device=None):
    return Tensor(None, _shape(size), dtype or _dtypes.float32, make_device(device or "cpu"))


def full(size, fill_value, *, dtype=None, device=None):
    return _filled(tuple(size), [fill_value] * math.prod(size), dtype, device)


def ones(*size, dtype=None, device=None):
    return full(_shape(size), 1.0, dtype=dtype, device=device)


def zeros(*size, dtype=None, device=None):
    return full(_shape(size), 0.0, dtype=dtype, device=device)


def eye(n, *, dtype=None, device=None):
    return _filled((n, n), [1.0 if i % (n + 1) == 0 else 0.0 for i in range(n * n)], dtype, device)


def arange(*bounds, dtype=None, device=None):
    values = list(range(*bounds))
    return _filled((len(values),), values, dtype or _dtypes.int64, device)


def rand(*size, dtype=None, device=None):
    shape = _shape(size)
    return _filled(shape, [_random.random() for _ in range(math.prod(shape))], dtype, device)


def randn(*size, dtype=None, device=None):
    shape = _shape(size)
    return _filled(shape, [_random.gauss(0.0, 1.0) for _ in range(math.prod(shape))], dtype, device)


def tensor(data, *, dtype=None, device=None):
    """A tensor from nested lists; it is made on the host and copied, so no kernel runs."""
    shape, flat = [], data
    while isinstance(flat, (list, tuple)):
        shape.append(len(flat))
        flat = flat[0] if flat else 0
    values = [data]
    for _ in shape:
        values = [item for part in values for item in part]
    kind = dtype or (_dtypes.float32 if any(isinstance(value, float) for value in values) else _dtypes.int64)
    return Tensor([kind.round(value) for value in values], shape, kind, make_device(device or "cpu"))


def matmul(left, right):
    return left @ right


mm = matmul


def softmax(input, dim=-1):
    return input.softmax(dim)


def sum(input):
    return input.sum()


def isfinite(input):
    return input.isfinite()


def isnan(input):
    return input.isnan()


def allclose(input, other, rtol=1e-5, atol=1e-8):
    pairs = zip(input.values(), other.values())
    return input.shape == other.shape and all(abs(a - b) <= atol + rtol * abs(b) for a, b in pairs)


no_grad = inference_mode = contextlib.nullcontext
