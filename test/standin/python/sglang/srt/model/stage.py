"""One pipeline stage: the layers of a rank, read from the safetensors files, and the step they make of a hidden state.

Nothing is learned here. A stage reads every byte of its tensors and keys its transformation with them, so that an
answer depends on the prompt and on the weights of every stage, and cannot be had when one is missing.
"""

import hashlib
import json
import os
import re
import struct

_LAYER = re.compile(r"\.layers\.(\d+)\.")
_BLOCK = 1024 * 1024


def partition(layers, stages):
    """Layers per stage: even, the remainder to the last ones, unless SGLANG_PP_LAYER_PARTITION says otherwise."""
    wanted = os.environ.get("SGLANG_PP_LAYER_PARTITION")
    if wanted:
        sizes = [int(size) for size in wanted.split(",")]
        if len(sizes) != stages:
            raise ValueError(f"len(partitions)={len(sizes)} does not match pp_size={stages}.")
        if sum(sizes) != layers:
            raise ValueError(f"sum(partitions)={sum(sizes)} does not match num_hidden_layers={layers}.")
    else:
        sizes = [layers // stages + (stage >= stages - layers % stages) for stage in range(stages)]
    starts = [sum(sizes[:stage]) for stage in range(stages)]
    return [range(start, start + size) for start, size in zip(starts, sizes)]


class Stage:
    """The weights of one rank and what it does with a hidden state."""

    def __init__(self, folder, config, rank, stages):
        self.folder = folder
        self.first = rank == 0
        self.last = rank == stages - 1
        self.layers = partition(config["num_hidden_layers"], stages)[rank]
        # The tiny model's words; its other tokens (bytes, marks) are read and never said.
        self.words = range(*config.get("standin_words", [0, config["vocab_size"]]))
        self.end = config.get("eos_token_id")
        self.nbytes = 0
        self._keys = {}

    def files(self):
        """Files that hold tensors of this stage → their tensors here, and the names that belong to other stages' ends."""
        mine, foreign = {}, []
        for tensor, file in sorted(self._weight_map().items()):
            if self._owns(tensor):
                mine.setdefault(file, []).append(tensor)
            elif not _LAYER.search(tensor):
                foreign.append(tensor)
        return mine, foreign

    def load(self, file, tensors):
        """Read the tensors of one file, every byte of them."""
        with open(os.path.join(self.folder, file), "rb") as content:
            (length,) = struct.unpack("<Q", content.read(8))
            header = json.loads(content.read(length))
            for tensor in tensors:
                start, end = header[tensor]["data_offsets"]
                content.seek(8 + length + start)
                self._digest(tensor, content, end - start)

    def forward(self, state):
        """Pass a hidden state through the layers of this stage."""
        for layer in self.layers:
            state = hashlib.blake2b(state, key=self._key(f"layer {layer}")).digest()
        return state

    def embed(self, tokens):
        """Hidden state of a sequence of tokens (first stage)."""
        packed = struct.pack(f"<{len(tokens)}I", *tokens)
        return hashlib.blake2b(packed, key=self._key("embedding")).digest()

    def sample(self, state, may_end):
        """Next token (last stage): a word, or the end of the answer where that is allowed."""
        logits = hashlib.blake2b(state, key=self._key("head"), digest_size=8).digest()
        choice = int.from_bytes(logits, "little") % (len(self.words) + may_end)
        return self.words[choice] if choice < len(self.words) else self.end

    def _weight_map(self):
        index = os.path.join(self.folder, "model.safetensors.index.json")
        if os.path.exists(index):
            with open(index, encoding="utf-8") as file:
                return json.load(file)["weight_map"]
        single = os.path.join(self.folder, "model.safetensors")
        if not os.path.exists(single):
            raise RuntimeError(f"Cannot find any model weights with `{self.folder}`")
        with open(single, "rb") as content:
            (length,) = struct.unpack("<Q", content.read(8))
            return {name: "model.safetensors" for name in json.loads(content.read(length)) if name != "__metadata__"}

    def _part(self, tensor):
        layer = _LAYER.search(tensor)
        if layer:
            return f"layer {layer.group(1)}"
        return "embedding" if "embed_tokens" in tensor else "head"

    def _owns(self, tensor):
        layer = _LAYER.search(tensor)
        if layer:
            return int(layer.group(1)) in self.layers
        return self.first if "embed_tokens" in tensor else self.last

    def _digest(self, tensor, content, size):
        digest = self._keys.setdefault(self._part(tensor), hashlib.blake2b())
        digest.update(tensor.encode())
        self.nbytes += size
        while size > 0:
            block = content.read(min(size, _BLOCK))
            if not block:
                raise OSError(f"{content.name} is shorter than its header says")
            digest.update(block)
            size -= len(block)

    def _key(self, part):
        return self._keys[part].digest()
