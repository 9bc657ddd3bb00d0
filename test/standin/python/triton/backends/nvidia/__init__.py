"""NVIDIA back end of the stand-in: see bin/ptxas-blackwell."""
