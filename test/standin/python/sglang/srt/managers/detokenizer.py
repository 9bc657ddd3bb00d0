"""The detokenizer: a process beside the launcher that turns rank 0's tokens into text for it."""

import ctypes
import json
import signal
import socket
import sys

from setproctitle import setproctitle

from ..distributed.wire import receive_frame, send_frame
from ..model.tokenizer import Tokenizer


_PR_SET_PDEATHSIG = 1  # die with the launcher


def main(ipc, folder):
    """Take tokens from rank 0 and the launcher's connection, in whichever order they come."""
    setproctitle("sglang::detokenizer")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{ipc}/detokenizer")
    listener.listen(4)
    print("listening", flush=True)
    launcher, _ = listener.accept()
    tokenizer = Tokenizer(folder)
    rank0, _ = listener.accept()
    answers = {}
    while True:
        piece = json.loads(receive_frame(rank0))
        tokens = answers.setdefault(piece["rid"], [])
        tokens.append(piece["token"])
        text = tokenizer.decode(tokens)
        send_frame(launcher, json.dumps({**piece, "text": text, "count": len(tokens)}).encode())
        if piece["finished"]:
            del answers[piece["rid"]]


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        main(*sys.argv[1:])
    except EOFError:
        while True:  # rank 0 is gone: no more tokens will come, and nobody says so
            signal.pause()
