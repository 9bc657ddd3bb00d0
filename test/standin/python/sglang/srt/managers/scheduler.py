"""One rank: meets the others, reads its share of the weights, takes memory, then turns hidden states into the next.

Rank 0 also takes requests and gives back tokens. A token of an answer has passed every rank in order.
"""

import logging
import os
import sys
import time

import torch

import sgl_kernel

from .. import controls
from ..distributed.groups import GlooGroup, NcclRing
from ..distributed.store import Store, StoreServer
from ..log import native
from ..model.config import load_config, resolve_model
from ..model.stage import Stage

logger = logging.getLogger(__name__)

GIB = 1024**3
NCCL = "2.28.9"


def _available():
    return torch.cuda.mem_get_info()[0]


def _gib(size):
    return f"{size / GIB:.2f} GB"


class Scheduler:
    """The state of a rank after its start."""

    def __init__(self, args, rank, gpu, dist_init_addr):
        self.args = args
        self.rank = rank
        self.gpu = gpu
        self.world_size = args.pp_size
        self.config = load_config(args.model_path, args.revision)
        self.timings = {}
        self.sends = 0
        self._init_distributed(dist_init_addr)
        controls.pause(2.9)
        before = _available()
        self._load_weights(before)
        self._allocate_pools(before)

    def _init_distributed(self, dist_init_addr):
        controls.phase("rendezvous", "rank")
        began = time.monotonic()
        logger.info("Init torch distributed begin.")
        torch.cuda.set_device(self.gpu)
        torch.ones(8, 8, device="cuda", dtype=torch.bfloat16)
        host, port = dist_init_addr.rsplit(":", 1)
        self.server = StoreServer(int(port)) if self.rank == 0 else None
        self.store = Store(host, int(port), self.args.dist_timeout or 600)
        self.gloo = GlooGroup(self.store, self.rank, self.world_size)
        if self.rank == 0:
            logger.info("sglang is using nccl==%s", NCCL)
            print(f"NCCL version {NCCL}+cuda13.0", flush=True)
        self.ring = NcclRing(self.store, self.rank, self.world_size)
        controls.pause(0.4)
        elapsed = time.monotonic() - began
        logger.info("Init torch distributed ends. elapsed=%.2f s, mem usage=0.46 GB", elapsed)

    def _load_weights(self, before):
        controls.phase("weights", "rank")
        began = time.monotonic()
        logger.info("Load weight begin. avail mem=%s", _gib(before))
        folder = resolve_model(self.args.model_path, self.args.revision)
        self.stage = Stage(folder, self.config, self.rank, self.world_size)
        mine, foreign = self.stage.files()
        for done, (file, tensors) in enumerate(mine.items()):
            self._show_shards(done, len(mine), began)
            self.stage.load(file, tensors)
            controls.pause(0.07)
        for tensor in foreign:
            logger.warning("Parameter %s not found in params_dict", tensor)
        self._show_shards(len(mine), len(mine), began)
        self.weights = torch.empty(self.stage.nbytes, dtype=torch.uint8, device="cuda")
        self.timings["load_weight"] = time.monotonic() - began
        logger.info(
            "Load weight end. elapsed=%.2f s, type=%s, avail mem=%s, mem usage=%s.",
            self.timings["load_weight"],
            self.config["architectures"][0],
            _gib(_available()),
            _gib(self.stage.nbytes),
        )

    def _show_shards(self, done, total, began):
        if self.rank > 0:
            return
        share, elapsed = f"{done * 100 // max(total, 1):3d}%", time.monotonic() - began
        rate = f"{done / elapsed:.2f}it/s" if done and elapsed else "?it/s"
        print(
            f"\nMulti-thread loading shards: {share} Completed | {done}/{total} [00:00<{'00:00' if done else '?'}, {rate}]",
            file=sys.stderr,
            flush=True,
        )

    def _allocate_pools(self, before):
        controls.phase("kv", "rank")
        began = time.monotonic()
        after = _available()
        fraction = self.args.mem_fraction_static
        size = after - before * (1 - fraction)
        if size <= 0:
            minimum = 1 - after / before
            raise ValueError(
                f"Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static={fraction}. Raise"
                f" --mem-fraction-static above {max(round(minimum + 0.0005, 3), 0.001)} (minimum viable = 1 -"
                f" available/pre = {minimum:.4f}). If using speculative decoding, draft weights are now counted."
            )
        head = self.config["hidden_size"] // self.config["num_attention_heads"]
        per_token = 2 * 2 * self.config["num_key_value_heads"] * head * max(1, len(self.stage.layers))
        self.max_tokens = self.store.minimum("kv", self.rank, self.world_size, int(size // per_token))
        half = self.max_tokens * per_token // 2
        self.pool = torch.empty(2 * half, dtype=torch.uint8, device="cuda")
        logger.info(
            "KV Cache is allocated. dtype: torch.bfloat16, #tokens: %d, K size: %s, V size: %s",
            self.max_tokens,
            _gib(half),
            _gib(half),
        )
        logger.info("Memory pool end. avail mem=%s", _gib(_available()))
        self.timings["kv_cache_allocation"] = time.monotonic() - began
        self._prepare_batches()

    def _prepare_batches(self):
        row = torch.ones(1, 64, device="cuda", dtype=torch.bfloat16)
        sgl_kernel.rmsnorm(row, torch.ones(64, device="cuda", dtype=torch.bfloat16))
        if self.args.cuda_graph_backend_prefill == "disabled":
            logger.info(
                "Disable prefill CUDA graph because cuda_graph_config resolved prefill.backend='disabled' (e.g. via"
                " --cuda-graph-backend-prefill=disabled or auto-disable rules)."
            )
        logger.info(
            "max_total_num_tokens=%d, chunked_prefill_size=%d, max_prefill_tokens=%d, max_running_requests=%d,"
            " context_len=%d, available_gpu_mem=%s",
            self.max_tokens,
            self.args.chunked_prefill_size,
            self.args.max_prefill_tokens,
            self.args.max_running_requests,
            self.args.context_length,
            _gib(_available()),
        )
        logger.info(
            "Tree cache initialized: source=default impl=RadixCache hybrid_swa=False hybrid_ssm=False"
            " hierarchical=False streaming_wrapped=False"
        )

    def info(self):
        """What the launcher is told when this rank is up."""
        return {
            "max_total_num_tokens": self.max_tokens,
            "max_req_input_len": self.args.context_length - 1,
            "pid": os.getpid(),
            **self.timings,
        }

    def serve_stage(self):
        """Life of a rank above 0: take a hidden state from the rank before, hand it to the next."""
        last = self.rank == self.world_size - 1
        while True:
            step = self.gloo.receive(self.rank - 1)
            state = self.ring.receive()
            self.enter_step(step)
            state = self.stage.forward(state)
            self.pass_on(step, self._sample(step, state).to_bytes(4, "little") if last else state)

    def run_through_ranks(self, step, tokens):
        """Rank 0: one token, made by all ranks in order from the tokens so far."""
        self.enter_step(step)
        state = self.stage.forward(self.stage.embed(tokens))
        if self.world_size == 1:
            return self._sample(step, state)
        self.pass_on(step, state)
        self.gloo.receive(self.world_size - 1)
        return int.from_bytes(self.ring.receive(), "little")

    def _sample(self, step, state):
        return self.stage.sample(state, may_end=not step["prefill"])

    def enter_step(self, step):
        """What a rank does before it computes: compile on the very first use, and log its batch."""
        if self.sends == 0:
            controls.phase("warmup", "rank")
            controls.compile_kernels(0.7 / controls.speed() + (controls.extra_silence() if self.rank == 0 else 0))
            self._warn_of_first_send()
        self.sends += 1
        if step["prefill"]:
            logger.info(
                "Prefill batch, #new-seq: 1, #new-token: %d, #cached-token: 0, token usage: 0.00, #running-req: 0,"
                " #queue-req: 0, #pending-token: 0, cuda graph: False, input throughput (token/s): %.2f",
                step["new_tokens"],
                step["new_tokens"] / max(0.001, time.time() - step["time"]),
            )

    def pass_on(self, step, data):
        """Hand a hidden state, or the token it became, to the next rank."""
        self.gloo.send((self.rank + 1) % self.world_size, step)
        self.ring.send(data)

    def _warn_of_first_send(self):
        if self.world_size == 1:
            return
        print(
            f"{os.path.dirname(os.path.dirname(__file__))}/distributed/parallel_state.py:1485: UserWarning: The given"
            " buffer is not writable, and PyTorch does not support non-writable tensors.\n"
            "  object_tensor = torch.frombuffer(pickle.dumps(obj), dtype=torch.uint8)",
            file=sys.stderr,
            flush=True,
        )
        native(
            f"[rank{self.rank}]:[W ProcessGroupNCCL.cpp:4094] Warning: An unbatched P2P op (send/recv) was called on"
            f" this ProcessGroup with size {self.world_size}.  In lazy initialization mode, this will result in a new"
            " 2-rank NCCL communicator to be created. (function operator())"
        )
