"""Run something small on the GPU with torch, the kernel package and Triton's assembler, and print one JSON object.

A version string proves nothing: the list of architectures can be right and a kernel still be missing. Each stage
therefore runs and waits for the device. Exit 0 with {"ok": true, ...}, or with {"ok": false, "stage": ..., ...};
any other exit means that the proof itself did not run.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def prove_torch(facts):
    import torch

    facts["torch"] = torch.__version__
    if not torch.cuda.is_available():
        raise RuntimeError("torch.cuda.is_available() is False")
    major, minor = torch.cuda.get_device_capability()
    facts["capability"] = f"{major}.{minor}"
    facts["device"] = torch.cuda.get_device_name()
    facts["archList"] = list(torch.cuda.get_arch_list())
    a = torch.ones((16, 16), device="cuda", dtype=torch.bfloat16)
    total = (a @ a).sum().item()
    torch.cuda.synchronize()
    if total != 16.0 * 16 * 16:
        raise RuntimeError(f"a 16 x 16 matrix product summed to {total}, not 4096")
    torch.softmax(a, dim=-1)
    torch.cuda.synchronize()
    facts["ran"] += ["torch matmul bf16", "torch softmax"]


def prove_kernel_package(facts):
    facts["kernelPackage"] = version("sglang-kernel") or version("sgl-kernel")
    import sgl_kernel
    import torch

    x = torch.ones((4, 128), device="cuda", dtype=torch.bfloat16)
    weight = torch.ones((128,), device="cuda", dtype=torch.bfloat16)
    sgl_kernel.rmsnorm(x, weight, 1e-6)
    torch.cuda.synchronize()
    facts["ran"].append("sgl_kernel rmsnorm")
    sgl_kernel.silu_and_mul(x)
    torch.cuda.synchronize()
    facts["ran"].append("sgl_kernel silu_and_mul")


def assemblers(major):
    """The assembler that Triton would take: for 100 and newer a second one, with a variable of its own."""
    if major >= 10:
        yield os.environ.get("TRITON_PTXAS_BLACKWELL_PATH")
    else:
        yield os.environ.get("TRITON_PTXAS_PATH")
    try:
        import triton

        folder = os.path.join(os.path.dirname(triton.__file__), "backends", "nvidia", "bin")
        yield os.path.join(folder, "ptxas-blackwell" if major >= 10 else "ptxas")
        yield os.path.join(folder, "ptxas")
    except ImportError:
        return


def prove_assembler(facts):
    major, minor = (int(part) for part in facts["capability"].split("."))
    path = next((each for each in assemblers(major) if each and os.path.isfile(each)), None)
    if path is None:
        raise RuntimeError("no ptxas found: neither TRITON_PTXAS_*_PATH nor one inside Triton")
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    facts["assembler"] = f"{path} {(shown.stdout.strip().splitlines() or ['?'])[-1]}"
    target = f"sm_{major}{minor}a" if major >= 9 else f"sm_{major}{minor}"
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "kernel.ptx")
        with open(source, "w") as file:
            file.write(".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry nothing()\n{\n\tret;\n}\n")
        ran = subprocess.run(
            [path, f"--gpu-name={target}", source, "-o", os.path.join(folder, "kernel.cubin")],
            capture_output=True,
            text=True,
            timeout=120,
        )
    if ran.returncode != 0:
        raise RuntimeError((ran.stderr or ran.stdout).strip() or f"exit {ran.returncode}")
    facts["ran"].append(f"ptxas {target}")


def main():
    facts = {
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "sglang": version("sglang"),
        "ray": version("ray"),
        "torch": None,
        "capability": None,
        "device": None,
        "archList": [],
        "kernelPackage": None,
        "assembler": None,
        "ran": [],
    }
    stages = [("torch", prove_torch), ("kernel package", prove_kernel_package), ("assembler", prove_assembler)]
    for stage, prove in stages:
        try:
            prove(facts)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the evidence
            print(json.dumps({"ok": False, "stage": stage, "error": f"{type(error).__name__}: {error}"[:1500], **facts}))
            return
    print(json.dumps({"ok": True, **facts}))


main()
