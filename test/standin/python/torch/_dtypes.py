"""Element types: their names, sizes, and the rounding that storing a value in them means."""

import struct


class dtype:
    """An element type."""

    def __init__(self, name, itemsize, is_floating_point):
        self.name = name
        self.itemsize = itemsize
        self.is_floating_point = is_floating_point

    def __repr__(self):
        return f"torch.{self.name}"

    def round(self, value):
        """The value that is left after storing `value` in this type."""
        if not self.is_floating_point:
            return value != 0 if self.name == "bool" else int(value)
        if value != value or value in (float("inf"), float("-inf")) or self.name == "float64":
            return float(value)
        return _ROUNDING[self.name](value)


def _round_float32(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _round_float16(value):
    try:
        return struct.unpack("<e", struct.pack("<e", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _round_bfloat16(value):
    bits = struct.unpack("<I", struct.pack("<f", _round_float32(value)))[0]
    bits += 0x7FFF + ((bits >> 16) & 1)  # to nearest, ties to even, as the hardware does
    return struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]


_ROUNDING = {"float32": _round_float32, "float16": _round_float16, "bfloat16": _round_bfloat16}

float64 = dtype("float64", 8, True)
float32 = dtype("float32", 4, True)
float16 = dtype("float16", 2, True)
bfloat16 = dtype("bfloat16", 2, True)
int64 = dtype("int64", 8, False)
int32 = dtype("int32", 4, False)
uint8 = dtype("uint8", 1, False)
bool = dtype("bool", 1, False)
