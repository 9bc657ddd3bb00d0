"""Stand-in for PyTorch on a lab host that has no GPU: the package's name, versions and errors, and little else.

It exists so that an installation and the proof of an architecture can be tried for real: it finds the GPU
through nvidia-smi, computes small tensors in plain Python, and refuses to run "kernels" on a device that no
entry of this wheel's architecture list serves, in PyTorch's own words. It is no numerical library.
"""

from . import version
from ._device import AcceleratorError, OutOfMemoryError, device
from ._dtypes import bfloat16, bool, dtype, float16, float32, float64, int32, int64, uint8
from ._functions import (
    allclose,
    arange,
    empty,
    eye,
    full,
    inference_mode,
    isfinite,
    isnan,
    manual_seed,
    matmul,
    mm,
    no_grad,
    ones,
    rand,
    randn,
    softmax,
    sum,
    tensor,
    zeros,
)
from ._tensor import Tensor
from . import cuda

float = float32
half = float16
__version__ = version.__version__

__all__ = [
    "AcceleratorError",
    "OutOfMemoryError",
    "Tensor",
    "allclose",
    "arange",
    "bfloat16",
    "bool",
    "cuda",
    "device",
    "dtype",
    "empty",
    "eye",
    "float",
    "float16",
    "float32",
    "float64",
    "full",
    "half",
    "inference_mode",
    "int32",
    "int64",
    "isfinite",
    "isnan",
    "manual_seed",
    "matmul",
    "mm",
    "no_grad",
    "ones",
    "rand",
    "randn",
    "softmax",
    "sum",
    "tensor",
    "uint8",
    "version",
    "zeros",
]
