"""Stage one model snapshot with Hugging Face's own client, where its tools look for it, and print JSON lines.

Arguments: REPOSITORY REVISION RESULT, or --resolve REPOSITORY REVISION to name the commit only. The hub's address and the token file come by environment (HF_ENDPOINT,
HF_TOKEN_PATH). A first line names the commit and the sizes, so that progress can be shown against them; RESULT gets
the finished description. The client resumes what an earlier try left.
"""

import json
import os
import sys

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError


def main():
    resolve_only = sys.argv[1] == "--resolve"
    repository, revision = sys.argv[2:4] if resolve_only else sys.argv[1:3]
    try:
        info = HfApi().model_info(repository, revision=revision, files_metadata=True)
        files = {each.rfilename: each.size or 0 for each in info.siblings}
        print(json.dumps({"commit": info.sha, "files": len(files), "bytes": sum(files.values())}), flush=True)
        if resolve_only:
            return
        path = snapshot_download(repository, revision=info.sha, max_workers=4)
    except GatedRepoError as error:
        sys.exit(f"GATED {error}")
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        sys.exit(f"NOT_FOUND {error}")
    wrong = [
        name
        for name, size in files.items()
        if not os.path.isfile(os.path.join(path, name)) or (size and os.path.getsize(os.path.join(path, name)) != size)
    ]
    if wrong:
        sys.exit(f"INCOMPLETE {', '.join(wrong[:5])}")
    done = {"commit": info.sha, "path": path, "files": len(files), "bytes": sum(files.values())}
    result = sys.argv[3]
    temporary = result + ".tmp"
    with open(temporary, "w") as file:
        json.dump(done, file)
    os.replace(temporary, result)


main()
