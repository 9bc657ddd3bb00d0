"""Places the ranks: connects to Ray, makes the placement group, starts one actor for each rank, rank 0 on this node."""

import logging
import socket

from .. import controls

logger = logging.getLogger(__name__)


def launch_ranks(args, ipc):
    """Start all ranks; returns their actors (kept alive by the caller) and the references to wait for."""
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    from .scheduler_actor import SchedulerActor

    ray.init()
    group = _make_group(args)
    first, address = _own_bundle(group, args.nnodes)
    port = args.nccl_port or _free_port()
    logger.info("dist_init_addr: %s:%d", address, port)
    logger.info(
        "Ray cluster (auto PG): %d nodes, %d GPUs/node, world_size=%d", args.nnodes, args.pp_size // args.nnodes, args.pp_size
    )
    nodes = [first, *(bundle for bundle in range(args.nnodes) if bundle != first)]
    per_node = args.pp_size // args.nnodes
    actors = []
    for rank in range(args.pp_size):
        bundle = nodes[rank // per_node]
        name = f"sglang_scheduler_node{address}_dp0_pp{rank}_tp0_pg{group.id.hex()[:8]}_bundle{bundle}"
        strategy = PlacementGroupSchedulingStrategy(placement_group=group, placement_group_bundle_index=bundle)
        options = SchedulerActor.options(num_cpus=0, num_gpus=1, name=name, scheduling_strategy=strategy)
        actors.append(options.remote(args, rank, f"{address}:{port}", ipc))
    return actors


def wait_for_ranks(actors):
    """Wait until every rank is up, however long that takes; start their loops; returns what they told."""
    import ray

    try:
        infos = ray.get([actor.get_info.remote() for actor in actors])
    except ray.exceptions.RayActorError as error:
        for actor in actors:
            ray.kill(actor)
        raise RuntimeError(f"Scheduler actor failed to initialize: {error}") from None
    loops = [actor.run_event_loop.remote() for actor in actors]
    return infos, loops


def _make_group(args):
    import ray
    from ray.util.placement_group import placement_group

    controls.phase("placement", "launcher")
    per_node = args.pp_size // args.nnodes
    logger.info(
        "No placement group detected. Auto-creating one with %d bundle(s), %d GPU(s)/bundle, placement group"
        " explicitly and schedule the Engine onto it.",
        args.nnodes,
        per_node,
    )
    strategy = "STRICT_PACK" if args.nnodes == 1 else "SPREAD"
    group = placement_group([{"CPU": 1, "GPU": per_node}] * args.nnodes, strategy=strategy)
    ray.get(group.ready())  # no time-out: a GPU too few means silence for ever, as in the real engine
    return group


def _own_bundle(group, count):
    """Index of the bundle on this node, and this node's address in Ray."""
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    @ray.remote(num_cpus=0, num_gpus=0)
    def node_address():
        return ray.util.get_node_ip_address()

    own = ray.util.get_node_ip_address()
    found = ray.get(
        [
            node_address.options(
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    placement_group=group, placement_group_bundle_index=bundle
                )
            ).remote()
            for bundle in range(count)
        ]
    )
    if own not in found:
        raise RuntimeError(
            f"Engine node {own} not found in any placement group bundle {found}. Rank-0 scheduler must be co-located"
            " with the Engine."
        )
    return found.index(own), own


def _free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]
