"""Tensors in plain Python: a flat list of values, a shape, an element type and a device.

Operations on a CUDA tensor pass `launch` first, which fails where the wheel holds no code for the device.
"""

import math

from . import _dtypes
from ._device import device, hold, launch, resolve


class Tensor:
    """A dense array. An empty CUDA tensor has no values until something is written: only its size is held."""

    def __init__(self, values, shape, dtype, on):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.device = device("cuda", on.index or 0) if on.type == "cuda" else on
        self._values = values
        self._gpu = resolve(on) if on.type == "cuda" else None
        if self._gpu is not None:
            hold(self._gpu, self.nbytes)

    def __del__(self):
        if getattr(self, "_gpu", None) is not None:
            try:
                hold(self._gpu, -self.nbytes)
            except (OSError, TypeError, NameError):
                pass  # the interpreter is shutting down; the socket goes with the process

    @property
    def nbytes(self):
        return self.numel() * self.dtype.itemsize

    @property
    def is_cuda(self):
        return self.device.type == "cuda"

    @property
    def T(self):
        return self.t()

    def numel(self):
        return math.prod(self.shape)

    def size(self, dim=None):
        return self.shape if dim is None else self.shape[dim]

    def dim(self):
        return len(self.shape)

    def values(self):
        return self._values if self._values is not None else [0] * self.numel()

    def result(self, values, shape=None, dtype=None):
        """A tensor beside this one, made by a kernel: values are rounded to its type."""
        if self.is_cuda:
            launch(self.device)
        kind = dtype or self.dtype
        return Tensor([kind.round(value) for value in values], self.shape if shape is None else shape, kind, self.device)

    def _paired(self, other, operation, dtype=None):
        if not isinstance(other, Tensor):
            return self.result([operation(value, other) for value in self.values()], dtype=dtype)
        same_device(self, other)
        left, right = self.values(), other.values()
        if other.numel() == 1:
            right = right * len(left)
        elif other.shape != self.shape:
            if other.shape != self.shape[-1:]:
                raise RuntimeError(f"stand-in tensors do not broadcast {self.shape} with {other.shape}")
            right = right * (len(left) // len(right))
        return self.result([operation(a, b) for a, b in zip(left, right)], dtype=dtype)

    def __add__(self, other):
        return self._paired(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._paired(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._paired(other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._paired(other, lambda a, b: a / b)

    def __eq__(self, other):
        return self._paired(other, lambda a, b: a == b, _dtypes.bool)

    def __gt__(self, other):
        return self._paired(other, lambda a, b: a > b, _dtypes.bool)

    def __lt__(self, other):
        return self._paired(other, lambda a, b: a < b, _dtypes.bool)

    __hash__ = object.__hash__
    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self):
        return self * -1

    def __matmul__(self, other):
        if len(self.shape) != 2 or len(other.shape) != 2 or self.shape[1] != other.shape[0]:
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({self.shape} and {other.shape})")
        same_device(self, other)
        rows, inner, columns = self.shape[0], self.shape[1], other.shape[1]
        left, right = self.values(), other.values()
        across = [right[column::columns] for column in range(columns)]
        values = [
            math.fsum(map(float.__mul__, map(float, left[row * inner : (row + 1) * inner]), map(float, column)))
            for row in range(rows)
            for column in across
        ]
        return self.result(values, (rows, columns))

    matmul = __matmul__
    mm = __matmul__

    def t(self):
        rows, columns = self.shape
        values = self.values()
        return Tensor([values[r * columns + c] for c in range(columns) for r in range(rows)], (columns, rows), self.dtype, self.device)

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        known = -math.prod(shape) if -1 in shape else 1
        shape = tuple(self.numel() // known if size == -1 else size for size in shape)
        return Tensor(self.values(), shape, self.dtype, self.device)

    view = reshape

    def softmax(self, dim=-1):
        if dim not in (-1, len(self.shape) - 1):
            raise RuntimeError("the stand-in computes softmax over the last dimension only")
        width, values, out = self.shape[-1], self.values(), []
        for start in range(0, len(values), width):
            row = values[start : start + width]
            top = max(row)
            powers = [math.exp(value - top) for value in row]
            total = math.fsum(powers)
            out.extend(power / total for power in powers)
        return self.result(out)

    def _reduced(self, value, dtype=None):
        return self.result([value], (), dtype)

    def sum(self):
        return self._reduced(math.fsum(self.values()))

    def mean(self):
        return self._reduced(math.fsum(self.values()) / self.numel())

    def max(self):
        return self._reduced(max(self.values()))

    def min(self):
        return self._reduced(min(self.values()))

    def all(self):
        return self._reduced(all(self.values()), _dtypes.bool)

    def any(self):
        return self._reduced(any(self.values()), _dtypes.bool)

    def abs(self):
        return self.result([abs(value) for value in self.values()])

    def isfinite(self):
        return self.result([math.isfinite(value) for value in self.values()], dtype=_dtypes.bool)

    def isnan(self):
        return self.result([value != value for value in self.values()], dtype=_dtypes.bool)

    def item(self):
        if self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return self.values()[0]

    def __bool__(self):
        return bool(self.item())

    def tolist(self):
        return _nested(self.values(), self.shape)

    def to(self, *wanted, device=None, dtype=None):
        for value in wanted:
            device, dtype = (device, value) if isinstance(value, _dtypes.dtype) else (value, dtype)
        return _moved(self, device, dtype)

    def cpu(self):
        return self.to("cpu")

    def cuda(self, index=0):
        return self.to(f"cuda:{index}")

    def float(self):
        return self.to(_dtypes.float32)

    def half(self):
        return self.to(_dtypes.float16)

    def bfloat16(self):
        return self.to(_dtypes.bfloat16)

    def __repr__(self):
        place = f", device='{self.device}'" if self.is_cuda else ""
        return f"tensor({self.tolist()}{place}, dtype={self.dtype})"


def _nested(values, shape):
    if not shape:
        return values[0]
    step = len(values) // shape[0] if shape[0] else 0
    return [_nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _moved(tensor, to_device, to_dtype):
    target = tensor.device if to_device is None else device(to_device)
    converted = tensor if to_dtype in (None, tensor.dtype) else tensor.result(tensor.values(), dtype=to_dtype)
    return Tensor(converted.values(), tensor.shape, converted.dtype, target)  # a copy needs no kernel


def same_device(left, right):
    """Refuse to mix devices, as PyTorch does."""
    if left.device != right.device:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices,"
            f" {left.device} and {right.device}!"
        )
