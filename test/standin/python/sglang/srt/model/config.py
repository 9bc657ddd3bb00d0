"""Where a model lies and what its config.json says; a folder that is not there fails as misleadingly as the real one."""

import json
import os
import re


class HFValidationError(ValueError):
    """A repository id of a wrong shape."""


HFValidationError.__module__ = "huggingface_hub.errors"

_REPO_ID = re.compile(r"^(\b[\w\-.]+\b/)?\b[\w\-.]{1,96}\b$")


def resolve_model(model_path, revision=None):
    """The folder of a model: a path, or a hub id that lies in Hugging Face's cache (nothing is downloaded here)."""
    if os.path.isdir(model_path):
        return model_path
    try:
        _validate(model_path)
    except HFValidationError as error:
        raise OSError(f"{error}") from error
    folder = os.path.join(_hub_cache(), f"models--{model_path.replace('/', '--')}")
    commit = revision or "main"
    reference = os.path.join(folder, "refs", commit)
    if os.path.exists(reference):
        with open(reference, encoding="utf-8") as file:
            commit = file.read().strip()
    snapshot = os.path.join(folder, "snapshots", commit)
    if os.path.isdir(snapshot):
        return snapshot
    raise OSError(
        "We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached"
        " files.\nCheck your internet connection or see how to run the library in offline mode at"
        " 'https://huggingface.co/docs/transformers/installation#offline-mode'."
    )


def load_config(model_path, revision=None):
    """config.json of a model."""
    with open(os.path.join(resolve_model(model_path, revision), "config.json"), encoding="utf-8") as file:
        return json.load(file)


def _validate(repo_id):
    if repo_id.count("/") > 1 or not _REPO_ID.match(repo_id):
        raise HFValidationError(
            f"Repo id must be in the form 'repo_name' or 'namespace/repo_name': '{repo_id}'."
            " Use `repo_type` argument if needed."
        )


def _hub_cache():
    home = os.environ.get("HF_HOME") or os.path.join(os.path.expanduser("~"), ".cache", "huggingface")
    return os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")
