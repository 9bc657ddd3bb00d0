"""Versions of this stand-in wheel, from the description that the builder put beside the code."""

import json
import os

with open(os.path.join(os.path.dirname(__file__), "_standin.json"), encoding="utf-8") as _file:
    _described = json.load(_file)

__version__ = _described["version"]
cuda = _described["cuda"]
hip = None
debug = False
arch_list = list(_described["archs"])
