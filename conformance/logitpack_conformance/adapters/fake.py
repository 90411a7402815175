"""A scripted adapter, for the runner's own tests: it answers, and misbehaves, as a file says.

    python -m logitpack_conformance.adapters.fake SCRIPT.json [read|write|check|extract|hello REQUEST RESPONSE]

A script is an object. `introduction` holds members of the response to hello that differ from a reader's of stored JSON.
`steps` maps the number of a request of this process (from 1), or its command, or "*" (all but hello), to a list of
steps, the first of these that is there; "end" has those for the end of input. A request without steps is accepted, with
an empty output. Steps are objects of one member, see `STEPS`. `starts`, a list of scripts, has the first process do as
the first one says, and so on, the last one for all others.

Strategy: each misbehaviour is one small function, and what a script does not ask for is done right. Only the standard
library is needed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Message = Mapping[str, Any]

INTRODUCTION = {
    "protocol": 1,
    "spec": ["1.0"],
    "name": "fake",
    "version": "1",
    "roles": ["reader"],
    "containers": ["json"],
}
COMMANDS = ("hello", "read", "write", "check", "extract")
PLAIN = [{"output": ""}, {"answer": {"outcome": "accepted"}}]
BLOCK = b"x" * 65536
FOREVER = 3600.0
SLEEPER = "import time; time.sleep(3600)"


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def answer(members: Message, request: Message) -> None:
    """Print a response; `seq` is right unless the members have one, and left out where that is the string "none"."""
    line = {"seq": request.get("seq"), **members}
    if line["seq"] == "none":
        del line["seq"]
    _print(json.dumps(line).encode() + b"\n")


def text(what: str, request: Message) -> None:
    """Print text as it is; SEQ stands for the number of the request."""
    _print(what.replace("SEQ", str(request.get("seq"))).encode())


def hexadecimal(what: str, request: Message) -> None:
    """Print bytes."""
    del request
    _print(bytes.fromhex(what))


def output(what: str, request: Message) -> None:
    """Write the output that the request names, if any."""
    if "output" in request:
        Path(request["output"]).write_text(what, encoding="utf-8")


def copy(path: str, request: Message) -> None:
    """Write the bytes of a file to the output."""
    Path(request["output"]).write_bytes(Path(path).read_bytes())


def flood(what: Message, request: Message) -> None:
    """Write `bytes` bytes to stdout, stderr or the output (`to`), with a line feed after every block if `lines`."""
    block = BLOCK[:-1] + b"\n" if what.get("lines") else BLOCK
    numbers = {"stdout": 1, "stderr": 2}
    target: int | str = numbers[what["to"]] if what["to"] in numbers else request["output"]
    with open(target, "wb", closefd=isinstance(target, str)) as file:
        file.writelines(block for _ in range(0, what["bytes"], len(block)))


def sleep(seconds: float, request: Message) -> None:
    """Wait."""
    del request
    time.sleep(seconds)


def end(status: int, request: Message) -> None:
    """Exit at once."""
    del request
    os._exit(status)


def die(name: str, request: Message) -> None:
    """End by a signal."""
    del request
    os.kill(os.getpid(), getattr(signal, name))


def close(name: str, request: Message) -> None:
    """Close a standard stream, and go on."""
    del request
    os.close({"stdin": 0, "stdout": 1, "stderr": 2}[name])


def memory(size: int, request: Message) -> None:
    """Take memory and keep it."""
    del request
    kept = bytearray(size)
    for place in range(0, size, 4096):
        kept[place] = 1
    time.sleep(FOREVER)


def child(how: str, request: Message) -> None:
    """Start a process that goes on: in the same "group", a group of its "own", or in a "session" of its own."""
    del request
    group = 0 if how == "own" else None
    subprocess.Popen([sys.executable, "-c", SLEEPER], process_group=group, start_new_session=how == "session")  # noqa: S603 - our own


def greedy_child(size: int, request: Message) -> None:
    """Start a process, in a session of its own, that takes memory and keeps it; wait for it."""
    del request
    code = f"import time; kept = bytearray(b'1') * {size}; time.sleep({FOREVER})"
    subprocess.run([sys.executable, "-c", code], start_new_session=True, check=False)  # noqa: S603 - our own


def orphan(size: int, request: Message) -> None:
    """Have a child's child go on, in a session of its own and with the standard streams, after the child has ended."""
    del size, request
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own


def forks(times: int, request: Message) -> None:
    """Double so many times, and go on."""
    del request
    for _ in range(times):
        os.fork()
    time.sleep(FOREVER)


def damage(how: str, request: Message) -> None:
    """Delete or change the input."""
    path = Path(request["input"])
    if how == "delete":
        path.unlink()
    else:
        path.write_bytes(b"changed")


def link(target: str, request: Message) -> None:
    """Put a symbolic link in the place of the output."""
    Path(request["output"]).symlink_to(target)


def litter(target: str, request: Message) -> None:
    """Leave folders, links and a folder that nobody may enter beside the output."""
    folder = Path(request["output"]).parent
    (folder / "link").symlink_to(target)
    (folder / "loop").symlink_to(folder)
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("left")
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0)
    os.mkfifo(folder / "pipe")


def swap(target: str, request: Message) -> None:
    """Put a symbolic link in the place of the output's folder, which moves to another name."""
    folder = Path(request["output"]).parent
    folder.rename(f"{folder}.moved")
    folder.symlink_to(target)


def note(path: str, request: Message) -> None:
    """Add a line on the request and this process to a file."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"pid": os.getpid(), "cwd": str(Path.cwd()), "request": request}) + "\n")


STEPS: Mapping[str, Callable[[Any, Message], None]] = {
    "answer": answer,
    "text": text,
    "hex": hexadecimal,
    "output": output,
    "copy": copy,
    "flood": flood,
    "sleep": sleep,
    "exit": end,
    "signal": die,
    "close": close,
    "memory": memory,
    "child": child,
    "greedy_child": greedy_child,
    "orphan": orphan,
    "forks": forks,
    "damage": damage,
    "link": link,
    "litter": litter,
    "swap": swap,
    "note": note,
}


def main(arguments: list[str]) -> int:
    """Do as the script says until the input ends, or for one request."""
    script = _of_this_start(Path(arguments[0]))
    if len(arguments) > 1:
        return _serve_once(script, arguments[1:])
    for number, line in enumerate(sys.stdin.buffer):
        _do(script, json.loads(line), number)
    for step in script.get("steps", {}).get("end", []):
        _take(step, {})
    return 0


def _do(script: Message, request: Message, number: int) -> None:
    steps = script.get("steps", {})
    if request["cmd"] == "hello":
        default = [{"answer": {**INTRODUCTION, **script.get("introduction", {})}}]
        found = steps.get("hello", default)
    else:
        found = next((steps[key] for key in (str(number), request["cmd"], "*") if key in steps), PLAIN)
    for step in found:
        _take(step, request)


def _take(step: Message, request: Message) -> None:
    for name, argument in step.items():
        STEPS[name](argument, request)


def _serve_once(script: Message, arguments: list[str]) -> int:
    """Answer one request (`--one-shot`): what would be printed goes to the file for the response."""
    _, asked, answered = arguments
    request = json.loads(Path(asked).read_bytes())
    with Path(answered).open("wb") as file:
        os.dup2(file.fileno(), 1)
    _do(script, request, request["seq"])
    return 0


def _of_this_start(path: Path) -> dict[str, Any]:
    """Return the script of this process, which counts the starts in a file beside the script."""
    script: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "starts" not in script:
        return script
    counter = path.with_suffix(".starts")
    with counter.open("ab") as file:
        file.write(b".")
    found: dict[str, Any] = script["starts"][min(counter.stat().st_size, len(script["starts"])) - 1]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
