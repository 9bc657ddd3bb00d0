"""Print one JSON line of the nodes that Ray counts, then exit. Arguments: ADDRESS of the head."""

import json
import sys

import ray


def main():
    ray.init(address=sys.argv[1], logging_level="error", log_to_driver=False, configure_logging=False)
    nodes = [
        {
            "alive": node["Alive"],
            "address": node["NodeManagerAddress"],
            "gpus": node["Resources"].get("GPU", 0),
        }
        for node in ray.nodes()
    ]
    available = ray.available_resources().get("GPU", 0)
    python = ".".join(str(part) for part in sys.version_info[:3])
    print(json.dumps({"ray": ray.__version__, "python": python, "nodes": nodes, "freeGpus": available}))


main()
