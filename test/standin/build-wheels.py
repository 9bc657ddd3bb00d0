"""Build the stand-in wheels: one folder per flavour, each wheel for x86_64 and aarch64, the same bytes every time.

Usage: build-wheels.py OUT_DIR. Standard library only. Beside each wheel lies its METADATA as <wheel>.metadata,
which an index serves on its own.
"""

import base64
import hashlib
import json
import os
import random
import shutil
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "python")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64")
TORCH, SGLANG, KERNEL = "2.13.0", "0.5.21", "0.4.7"
MIB = 1024 * 1024

COMMON = ["sm_80", "sm_90", "sm_100"]
NEW_PTXAS = ["13.3", "sm_80", "sm_90", "sm_90a", "sm_100", "sm_100a", "sm_110", "sm_110a", "sm_120", "sm_120a", "sm_121", "sm_121a"]
OLD_PTXAS = ["12.9", *(arch for arch in NEW_PTXAS[1:] if not arch.startswith("sm_110"))]

# What each set of wheels holds: architectures of torch, of the kernel package, and of Triton's assembler.
FLAVOURS = {
    "sm120": {"torch": [*COMMON, "sm_120"], "kernel": [*COMMON, "sm_120"], "ptxas": OLD_PTXAS},
    "sm110": {"torch": [*COMMON, "sm_110"], "kernel": [*COMMON, "sm_110"], "ptxas": NEW_PTXAS},
    "kernel-broken": {"torch": [*COMMON, "sm_110", "sm_120"], "kernel": ["sm_90", "sm_100"], "ptxas": NEW_PTXAS},
    "cpu": {"torch": None, "kernel": [*COMMON, "sm_110", "sm_120"], "ptxas": NEW_PTXAS},
}


def read_package(name):
    """Files of a source package: path in the wheel → (bytes, is executable)."""
    files = {}
    for folder, folders, names in os.walk(os.path.join(SOURCE, name)):
        folders[:] = sorted(folder for folder in folders if folder != "__pycache__")
        for file in sorted(names):
            path = os.path.join(folder, file)
            with open(path, "rb") as content:
                inside = os.path.relpath(path, SOURCE).replace(os.sep, "/")
                files[inside] = (content.read(), os.access(path, os.X_OK))
    return files


def padding(size, seed):
    """Bytes that no compression shrinks, so that a download takes as long as its size says."""
    return random.Random(seed).randbytes(size)


def described(value):
    return (json.dumps(value, indent=1).encode() + b"\n", False)


def metadata(name, version, summary, requires):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}"]
    lines += ["Requires-Python: >=3.10", *(f"Requires-Dist: {need}" for need in requires)]
    return ("\n".join(lines) + "\n").encode()


def write_wheel(folder, name, version, tag, files, requires=(), scripts=None):
    """Write one wheel with a correct RECORD, and its metadata beside it."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    about = metadata(name, version, "Stand-in for a lab without GPUs", requires)
    files = dict(files)
    files[f"{info}/METADATA"] = (about, False)
    pure = "true" if tag.endswith("-any") else "false"
    wheel = f"Wheel-Version: 1.0\nGenerator: windlass-standin\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
    files[f"{info}/WHEEL"] = (wheel.encode(), False)
    if scripts:
        lines = "".join(f"{command} = {target}\n" for command, target in scripts.items())
        files[f"{info}/entry_points.txt"] = (f"[console_scripts]\n{lines}".encode(), False)
    record = [f"{path},{record_hash(data)},{len(data)}" for path, (data, _) in files.items()]
    files[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]).encode() + b"\n", False)
    path = os.path.join(folder, f"{stem}-{tag}.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for inside, (data, executable) in files.items():
            add(archive, inside, data, executable)
    with open(f"{path}.metadata", "wb") as file:
        file.write(about)
    return path


def record_hash(data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def add(archive, inside, data, executable):
    entry = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_STORED if len(data) > MIB else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def torch_files(flavour, holds, platform):
    local = "cpu" if holds["torch"] is None else "cu130"
    files = {**read_package("torch"), **read_package("triton")}
    files["torch/_standin.json"] = described(
        {
            "flavour": flavour,
            "version": f"{TORCH}+{local}",
            "cuda": None if holds["torch"] is None else "13.0",
            "archs": holds["torch"] or [],
        }
    )
    files["torch/lib/libtorch_cuda.so"] = (padding(12 * MIB, f"torch/{flavour}/{platform}"), False)
    files["triton/backends/nvidia/bin/known"] = (("\n".join(holds["ptxas"]) + "\n").encode(), False)
    return files


def kernel_files(flavour, holds, platform):
    files = read_package("sgl_kernel")
    files["sgl_kernel/_standin.json"] = described({"flavour": flavour, "archs": holds["kernel"]})
    files["sgl_kernel/common_ops.abi3.so"] = (padding(2 * MIB, f"kernel/{flavour}/{platform}"), False)
    return files


def build_flavour(flavour, holds, out):
    folder = os.path.join(out, flavour)
    os.makedirs(folder)
    version = f"{TORCH}+cpu" if holds["torch"] is None else TORCH
    for platform in PLATFORMS:
        write_wheel(folder, "torch", version, f"py3-none-{platform}", torch_files(flavour, holds, platform))
        write_wheel(folder, "sglang-kernel", KERNEL, f"cp310-abi3-{platform}", kernel_files(flavour, holds, platform))
    write_wheel(
        folder,
        "sglang",
        SGLANG,
        "py3-none-any",
        read_package("sglang"),
        [f"torch=={TORCH}", f"sglang-kernel=={KERNEL}", "fastapi", "uvicorn", "setproctitle", "PyYAML"],
        {"sglang": "sglang.cli.main:main"},
    )


def main(out):
    building = f"{out}.building-{os.getpid()}"
    for flavour, holds in FLAVOURS.items():
        build_flavour(flavour, holds, building)
    shutil.rmtree(out, ignore_errors=True)
    os.rename(building, out)


if __name__ == "__main__":
    main(sys.argv[1])
