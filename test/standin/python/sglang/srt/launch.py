"""From a command line to a server: what `sglang serve` and `python -m sglang.launch_server` both do."""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
import uuid

from . import controls, log
from .model.config import load_config, resolve_model
from .server_args import announce_overlap, prepare_server_args, raise_file_limit
from .server_status import ServerStatus
from .shutdown import Ending

logger = logging.getLogger(__name__)


def import_for_as_long():
    """Take as long as the real engine's imports; Ray is really imported meanwhile."""
    controls.arm_exit("launcher")
    controls.phase("imports", "launcher")
    began = time.monotonic()
    with contextlib.suppress(ImportError):
        import ray  # noqa: F401
    controls.pause(13.0, time.monotonic() - began)


def serve(arguments):
    """Run the server until it dies."""
    log.configure()
    args = prepare_server_args(arguments)
    _refuse_what_is_not_there(args)
    controls.pause(0.7)
    announce_overlap(args)
    controls.pause(3.0)
    raise_file_limit()
    logger.info("server_args=%r", args)
    began = time.monotonic()
    engine = _import_ray()
    ipc = f"sglang-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    actors = engine.launch_ranks(args, ipc)
    folder = resolve_model(args.model_path, args.revision)
    detokenizer = _start_detokenizer(ipc, folder)
    status = ServerStatus()
    ending = Ending(status, detokenizer)

    from .managers.tokenizer_manager import TokenizerManager

    manager = TokenizerManager(args, folder, ipc)
    infos, loops = engine.wait_for_ranks(actors)
    manager.connect_scheduler()
    logger.info("Using default HuggingFace chat template with detected content format: string")
    _say_timings(infos[0], time.monotonic() - began)
    _serve_http(args, manager, infos, status, ending)
    del actors, loops  # held until here: an actor without a handle is ended by Ray


def _refuse_what_is_not_there(args):
    if not args.use_ray:
        sys.exit("stand-in: starting ranks without Ray (--dist-init-addr, --node-rank) is not there yet; use --use-ray")
    if args.tp_size != 1 or args.dp_size != 1:
        sys.exit("stand-in: only pipeline parallelism is there; use --tp-size 1 and --dp-size 1")
    if args.pp_size % args.nnodes:
        raise ValueError(f"pp_size ({args.pp_size}) must be divisible by nnodes ({args.nnodes})")


def _import_ray():
    try:
        from .ray import engine

        import ray  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Ray is required for --use-ray mode. Install it with: pip install 'sglang[ray]'"
        ) from error
    return engine


def _start_detokenizer(ipc, folder):
    command = [sys.executable, "-m", "sglang.srt.managers.detokenizer", ipc, folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()  # it listens now
    return process


def _say_timings(info, elapsed):
    logger.info(
        "Engine startup timings (s): load_weight=%.2f, kv_cache_allocation=%.2f, scheduler_e2e=%.2f,"
        " cuda_graph={prefill=0.00, decode=0.00, target_verify=0.00, draft_prefill=0.00, draft_decode=0.00,"
        " draft_extend=0.00}, tokenizer_e2e=%.2f",
        info["load_weight"],
        info["kv_cache_allocation"],
        info["load_weight"] + info["kv_cache_allocation"],
        elapsed,
    )


def _serve_http(args, manager, infos, status, ending):
    import uvicorn

    from .entrypoints.http_server import make_app
    from .warmup import WarmUp

    class Server(uvicorn.Server):
        """Uvicorn, with the engine's own handling of SIGTERM once it listens."""

        async def startup(self, sockets=None):
            await super().startup(sockets)
            ending.take_signals(asyncio.get_running_loop(), manager)

    def on_start():
        threading.Thread(target=WarmUp(args, status).run, daemon=True).start()

    async def on_stop():
        """Uvicorn could not bind. The real server waits here for ever, with its memory held."""
        while True:
            await asyncio.sleep(3600)

    app = make_app(manager, infos, load_config(args.model_path, args.revision), status, on_start, on_stop)
    Server(uvicorn.Config(app, host=args.host, port=args.port, log_config=log.uvicorn_config())).run()
