"""Clusters: Dask's as an executor, on which a check runs as on any other.

Strategy: what goes through the scheduler is bytes and one function of the standard library, so that neither the
scheduler nor a worker without LogitPack chokes on what it cannot unpack: a task fails there, and says why. Bytes that
are unpacked on a worker call `_call`, and what that gives comes back as bytes. Each call has a key of its own, so that
no result of an earlier check is taken for one of this; Dask repeats what a worker has not finished when it dies.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import platform
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any

from logitpack.errors import UsageError
from logitpack.version import version

EXTRA = "pip install 'logitpack[cluster]'"
SECONDS = 8
"""How long a scheduler is waited for, and between two looks at whether it has workers."""
ADAPTIVE = 16
"""Tasks that are handed, twice over, to a cluster that has no workers yet."""


@contextmanager
def dask(address: str) -> Iterator[tuple[Executor, int]]:
    """Give an executor on the cluster whose scheduler is at `address`, and how many threads its workers have.

    Where there are no workers, they are waited for, and a warning is logged. Raises UsageError where the scheduler
    cannot be reached, or `distributed` is not installed.
    """
    client = _connected(address)
    closed = threading.Event()
    threading.Thread(target=_watch, args=(client, closed), daemon=True).start()
    try:
        threads = sum(client.nthreads().values())
        yield _Dask(client.get_executor(pure=False)), threads or ADAPTIVE
    finally:
        closed.set()
        with suppress(Exception):  # what has come is there, and the scheduler notices
            client.close(timeout=1)


def _connected(address: str) -> Any:
    """Connect in a thread of its own: what listens at the address may be no scheduler, and never answer."""
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host
    except ImportError:
        raise UsageError(f"a cluster needs distributed: {EXTRA}") from None
    for name in ("distributed", "distributed.client"):  # what they have to say, they also raise
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client: Any = Client  # which has no types
    answers: SimpleQueue[Any] = SimpleQueue()

    def connect() -> None:
        try:
            get_address_host(address)  # raises where it is none, which would cost a client half a minute
            answers.put(client(address, timeout=SECONDS, set_as_default=False))
        except Exception as error:  # noqa: BLE001  whatever it is, there is no cluster
            answers.put(error)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # versions that differ; those that matter are compared on the workers
        threading.Thread(target=connect, daemon=True).start()
        try:
            answer = answers.get(timeout=SECONDS + 1)
        except Empty:
            answer = TimeoutError(f"no answer within {SECONDS} s")
    if isinstance(answer, Exception):
        reason = str(answer).strip() or type(answer).__name__
        raise UsageError(f"the Dask scheduler at {address} cannot be reached: {reason}") from answer
    return answer


def _watch(client: Any, closed: threading.Event) -> None:
    """Say so whenever a cluster is found to have no workers: Dask waits for some, without a word and without an end."""
    waiting = False
    while not closed.wait(SECONDS):
        with suppress(Exception, asyncio.CancelledError):  # it is being closed, or the scheduler has gone
            before, waiting = waiting, not client.nthreads()
            if waiting and not before:
                logging.getLogger(__name__).warning("the Dask cluster has no workers: waiting for some")


class _Dask(Executor):
    """Dask's own executor, for calls as bytes."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Have a function called on some worker."""
        content = pickle.dumps((function, args, options))
        try:
            inner = self._inner.submit(pickle.loads, pickle.dumps(_Deferred(version(), content)))
        except Exception as error:
            raise _broken(error) from error
        outer: Future[Any] = Future()
        inner.add_done_callback(lambda done: _pass_on(done, outer))
        outer.add_done_callback(lambda done: done.cancelled() and inner.cancel())
        return outer


class _Deferred:
    """What becomes the result of a call where it is unpacked."""

    def __init__(self, *args: Any) -> None:
        self._args = args

    def __reduce__(self) -> tuple[Any, ...]:
        return _call, self._args


def _call(wanted: str, content: bytes) -> bytes:
    """Call a function on a worker; give its result, or what it raises."""
    if version() != wanted:
        raise RuntimeError(f"logitpack is {version()} on {platform.node()}, but {wanted} here")
    function, args, options = pickle.loads(content)  # noqa: S301  it comes from the same user
    try:
        result = function(*args, **options)
    except Exception as error:  # noqa: BLE001  it is raised where the result is asked for
        result = error
    return pickle.dumps(result)


def _pass_on(inner: Future[bytes], outer: Future[Any]) -> None:
    if not outer.set_running_or_notify_cancel():
        return
    try:
        result = pickle.loads(inner.result())  # noqa: S301
    except CancelledError:
        result = BrokenExecutor("the scheduler has gone, or gave up the tasks")
    except Exception as error:  # noqa: BLE001  whatever the workers could not do
        result = _broken(error)
    if isinstance(result, Exception):
        outer.set_exception(result)
    else:
        outer.set_result(result)


def _broken(error: Exception) -> BrokenExecutor:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, ImportError | AttributeError):
        text = f"a worker lacks logitpack {version()}: {text}"
    broken = BrokenExecutor(text)
    broken.__cause__ = error
    return broken
