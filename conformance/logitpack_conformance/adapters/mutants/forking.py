"""Mutants without the time that a start takes: what they import is imported once, and each is a fork of that process.

Strategy: standard input is a Unix socket. A message is a line of JSON, [name, working folder], and comes with two open
files: the socket that the mutant talks over, and what its standard error goes to. One byte says that it was started.
"""

from __future__ import annotations

import json
import os
import signal
import socket

from logitpack_conformance.adapters.mutants import MUTANTS, serve_mutant

LONGEST = 1 << 16
"""Bytes of a message."""
STARTED = b"."


def serve_forks(descriptor: int) -> int:
    """Start mutants until the socket `descriptor` ends; return the exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(fileno=os.dup(descriptor)) as asked:
        while True:
            message, files, _, _ = socket.recv_fds(asked, LONGEST, 2)
            if not message:
                return 0
            if os.fork() == 0:
                os._exit(_become(*json.loads(message), *files))
            for file in files:
                os.close(file)
            asked.sendall(STARTED)


def _become(name: str, folder: str, talk: int, log: int) -> int:
    """Serve a mutant in this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for source, standard in ((talk, 0), (talk, 1), (log, 2)):
        os.dup2(source, standard)
    os.close(talk)
    os.close(log)
    os.chdir(folder)
    return serve_mutant(MUTANTS[name])
