"""Start a program many times at the price of once: python warm.py COMMAND [ARG ...]

Importing `datasets` takes a second or two, and the suite starts a fresh adapter after each failure, of which there are
hundreds. While COMMAND runs, a server that has imported it waits at a socket, and `run` has it fork for each start: the
fork gets the caller's standard streams and folder, and ends with its caller.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

SOCKET = "SEED_CARD_WARM"
"""The environment variable that names the socket, while there is one."""


def run(main: Callable[[], int]) -> int:
    """Run `main` in a fork of the server where there is one, else here; return its exit status."""
    if SOCKET not in os.environ:
        return main()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ[SOCKET])
        socket.send_fds(server, [os.fsencode(Path.cwd())], [0, 1, 2])
        return int(server.recv(4) or b"1")


def serve(listener: socket.socket, main: Callable[[], int], parent: int) -> None:
    """Fork for each caller, as long as the process `parent` is there."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    listener.settimeout(1)
    while parent == os.getppid():
        try:
            caller, _ = listener.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            status = 1
            try:
                status = answer(caller, main)
            finally:
                os._exit(status)
        caller.close()


def answer(caller: socket.socket, main: Callable[[], int]) -> int:
    """Run `main` in place of a caller, and tell it the exit status."""
    folder, streams, *_ = socket.recv_fds(caller, 4096, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    threading.Thread(target=lambda: caller.recv(1) or os._exit(1), daemon=True).start()  # the caller is gone
    status = main()
    caller.send(str(status).encode())
    return status


def start(path: str) -> int:
    """Start a server at a socket, and return its process id."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    parent = os.getpid()
    server = os.fork()
    if server == 0:
        import adapter

        try:
            adapter.load()
            serve(listener, adapter.main, parent)
        finally:
            os._exit(1)
    listener.close()
    return server


def main() -> int:
    """Run a command while a server is there."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        server = start(path)
        try:
            return subprocess.call(sys.argv[1:], env={**os.environ, SOCKET: path})
        finally:
            os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
