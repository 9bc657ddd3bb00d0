"""The command line: SGLang's parser (abbreviations allowed), its --config file, and what it resolves to."""

import argparse
import logging
import os
import resource
import sys

from . import controls
from .model.config import load_config
from .more_options import FLAGS, LISTS, VALUES
from .options import DEPRECATED, OPTIONS

logger = logging.getLogger(__name__)


class ServerArgs:
    """All options with their values; its repr is what SGLang logs, secrets included."""

    def __init__(self, values):
        self.__dict__.update(values)

    def __repr__(self):
        return f"ServerArgs({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class _Deprecated(argparse.Action):
    """A flag that still works and says what to use instead."""

    def __init__(self, option_strings, dest, **kwargs):
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(self, parser, namespace, values, option_string=None):
        name = self.option_strings[0]
        print(
            f"'{name}' is deprecated and will be removed in a future release. Use '{DEPRECATED[name]}' instead.",
            file=sys.stderr,
            flush=True,
        )
        setattr(namespace, self.dest, True)


def make_parser():
    """The parser; argparse's own rules for abbreviations and wrong values apply."""
    parser = argparse.ArgumentParser(prog="sglang serve")
    for names, kind, default, choices in OPTIONS:
        flags = names.split()
        dest = flags[0].removeprefix("--").replace("-", "_")
        if flags[0] in DEPRECATED:
            parser.add_argument(*flags, dest=dest, action=_Deprecated, default=default)
        elif kind is bool:
            parser.add_argument(*flags, dest=dest, action="store_true", default=default)
        else:
            required = flags[0] == "--model-path"
            parser.add_argument(*flags, dest=dest, type=kind, default=default, choices=choices, required=required)
    for name in FLAGS:
        parser.add_argument(f"--{name}", action="store_true")
    for name in VALUES:
        parser.add_argument(f"--{name}")
    for name in LISTS:
        parser.add_argument(f"--{name}", nargs="+")
    parser.add_argument("--config", help="Read options from a YAML file; the command line wins.")
    return parser


def with_config_file(arguments):
    """Put the options of --config FILE before those of the command line, so that the latter win."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config")
    found, rest = finder.parse_known_args(arguments)
    if found.config is None:
        return arguments
    import yaml

    if not found.config.endswith((".yaml", ".yml")):
        raise ValueError(f"Config file must be YAML format, got: {found.config}")
    if not os.path.exists(found.config):
        raise ValueError(f"Config file not found: {found.config}")
    with open(found.config, encoding="utf-8") as file:
        options = yaml.safe_load(file) or {}
    if not isinstance(options, dict):
        raise ValueError("Config file must contain a dictionary at root level")
    merged = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            merged += [flag] if value else []
        elif isinstance(value, list):
            merged += [flag, *map(str, value)]
        else:
            merged += [flag, str(value)]
    return merged + rest


def prepare_server_args(arguments):
    """Parse and resolve; exits 2 on a wrong command line, raises OSError where the model folder is missing."""
    values = vars(make_parser().parse_args(with_config_file(arguments)))
    values.pop("config")
    args = ServerArgs(values)
    controls.pause(2.7)
    config = load_config(args.model_path, args.revision)
    args.tokenizer_path = args.tokenizer_path or args.model_path
    args.served_model_name = args.served_model_name or args.model_path
    args.context_length = args.context_length or config["max_position_embeddings"]
    args.chunked_prefill_size = args.chunked_prefill_size or 8192
    args.mem_fraction_static = args.mem_fraction_static or 0.85
    args.max_running_requests = args.max_running_requests or 48
    args.device = args.device or "cuda"
    args.attention_backend = args.attention_backend or "triton"
    args.sampling_backend = args.sampling_backend or "pytorch"
    if args.disable_cuda_graph:
        args.cuda_graph_backend_decode = args.cuda_graph_backend_prefill = "disabled"
    return args


def announce_overlap(args):
    """Say what a pipeline rules out; every process that resolves the arguments says it."""
    if args.pp_size > 1:
        args.disable_overlap_schedule = True
        logger.warning("Pipeline parallelism is incompatible with overlap schedule.")


def raise_file_limit(target=65535):
    """Raise the limit of open files, as the engine tries to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= target:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    except ValueError as error:
        logger.warning("Fail to set RLIMIT_NOFILE: %s", error)
