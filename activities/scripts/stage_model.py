"""Stage one model snapshot with Hugging Face's own client, where its tools look for it, and print JSON lines.

The hub's address and the token file come by environment (HF_ENDPOINT, HF_TOKEN_PATH). A first line names the commit
and the sizes, so that progress can be shown against them; the result file gets the finished description. The client
resumes what an earlier try left.
"""

import argparse
import json
import os
import sys

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError


PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".gguf")


def parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--allow-pickle", action="store_true", help="take weights whose loading can run code")
    parser.add_argument("repository")
    parser.add_argument("revision")
    parser.add_argument("result", nargs="?", help="without it, only the commit is named")
    return parser.parse_args()


def demand_safetensors(names):
    """An engine falls back to pickled weights where there are no others."""
    pickled = sorted(name for name in names if name.endswith(PICKLED))
    if pickled and not any(name.endswith(".safetensors") for name in names):
        sys.exit(f"PICKLED {pickled[0]}")


def differing(path, files):
    """Names of files that are not there, or not of the size that the hub states."""
    found = {name: os.path.join(path, name) for name in files}
    return [
        name
        for name, size in files.items()
        if not os.path.isfile(found[name]) or (size and os.path.getsize(found[name]) != size)
    ]


def main():
    given = parse_arguments()
    try:
        info = HfApi().model_info(given.repository, revision=given.revision, files_metadata=True)
        files = {each.rfilename: each.size or 0 for each in info.siblings}
        print(json.dumps({"commit": info.sha, "files": len(files), "bytes": sum(files.values())}), flush=True)
        if not given.allow_pickle:
            demand_safetensors(files)
        if given.result is None:
            return
        path = snapshot_download(given.repository, revision=info.sha, max_workers=4)
    except GatedRepoError as error:
        sys.exit(f"GATED {error}")
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        sys.exit(f"NOT_FOUND {error}")
    # The client takes a file that it has once finished for whole, whatever a broken disk has made of it since.
    for name in differing(path, files):
        hf_hub_download(given.repository, name, revision=info.sha, force_download=True)
    wrong = differing(path, files)
    if wrong:
        sys.exit(f"INCOMPLETE {', '.join(wrong[:5])}")
    done = {"commit": info.sha, "path": path, "files": len(files), "bytes": sum(files.values())}
    temporary = given.result + ".tmp"
    with open(temporary, "w") as file:
        json.dump(done, file)
    os.replace(temporary, given.result)


main()
