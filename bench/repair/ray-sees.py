"""Says when Ray's list of nodes first holds a node as dead. Arguments: head, address of the node, file, seconds."""

import logging
import sys
import time

import ray

head, address, sees, seconds = sys.argv[1:5]
ray.init(address=head, log_to_driver=False, logging_level=logging.ERROR)


def alive():
    """Ids of the nodes at the address that Ray takes for alive."""
    return {each["NodeID"] for each in ray.nodes() if each["NodeManagerAddress"] == address and each["Alive"]}


watched = alive()
assert watched, f"Ray has no node at {address}"
with open(sees, "w") as file:
    file.write(",".join(watched))
deadline = time.time() + float(seconds)
while watched & alive():
    if time.time() > deadline:
        sys.exit(f"Ray still took {address} for alive after {seconds} s")
    time.sleep(0.05)
print(f"dead at {round(time.time() * 1000)}", flush=True)
