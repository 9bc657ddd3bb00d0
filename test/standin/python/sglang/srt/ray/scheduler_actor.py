"""A rank as a Ray actor: the scheduler's life inside a process that the raylet of its node has started.

Its environment is the raylet's. A rank whose loop breaks says so and stays: its memory is held until it is killed.
"""

import logging
import sys

import ray

from .. import controls, log

logger = logging.getLogger(__name__)


@ray.remote
class SchedulerActor:
    """One rank."""

    def __init__(self, args, rank, dist_init_addr, ipc):
        log.configure(f" DP0 PP{rank}")
        controls.arm_exit("rank")
        controls.pause(19.8)
        _say_overlap(args)
        controls.pause(0.3)
        from ..managers.scheduler import Scheduler

        self.rank = rank
        # Ray's number of the GPU is taken for CUDA's, as the real engine does.
        gpu = int(ray.get_runtime_context().get_accelerator_ids()["GPU"][0])
        self.scheduler = Scheduler(args, rank, gpu, dist_init_addr)
        self.requests = None
        if rank == 0:
            from ..managers.requests import RequestLoop

            self.requests = RequestLoop(self.scheduler, ipc)

    def get_info(self):
        """What the launcher waits for: answered only when the rank is up."""
        return self.scheduler.info()

    def run_event_loop(self):
        """Serve until killed, or until another rank is lost."""
        try:
            if self.requests is not None:
                self.requests.run()
            else:
                self.scheduler.serve_stage()
        except Exception as error:
            logger.error("Scheduler PP%d TP0 crashed: %s", self.rank, error)
            raise


def _say_overlap(args):
    """The rank resolves the arguments again before its log has a prefix."""
    if args.pp_size > 1:
        print("Pipeline parallelism is incompatible with overlap schedule.", file=sys.stderr, flush=True)
