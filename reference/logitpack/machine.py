"""Machine code of the kernels: compiled once for a processor, kept, and loaded without numba from then on.

Strategy: numba takes a second to load and two to compile, llvmlite, on which it stands, a tenth of one to load what
came of that. The code is kept beside the bytecode of this package, or where that cannot be written in the user's cache;
its name says what it was made of and for, and it begins with its own digest. What cannot be kept is compiled anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from logitpack.errors import UsageError
from logitpack.replacing import replacing

SIGNATURES = {
    "scan": (
        *("uint16*", "int64", "int64*", "int64", "float32*", "float32*"),
        *("float64*", "uint16*", "uint16*", "bool*"),
    ),
    "look": (
        *("uint16*", "uint8*", "int64*", "int64*", "uint16*", "uint8*", "int64*", "int64*"),
        *("int64*", "int64", "uint8*", "int32*", "bool*", "int64", "uint32*", "uint32*", "uint8*", "int64*"),
        *("bool*", "int64*", "int64*", "int64*", "float64*", "float64*"),
    ),
    "weigh": (
        *("uint8*", "int64*", "int64*", "int64", "uint16*", "int64*"),
        *("float32*", "float32*", "float32*", "float32*", "float64*", "int64*"),
        *("float64*", "uint16*", "uint16*", "bool*", "bool*"),
        *("int64", "int64", "int64", "int64", "float64*", "float64*", "int64", "int64*", "float64*", "int64"),
        *("uint8*", "int64*", "int64*", "int64*", "int64*", "int64*", "int64*", "float64*"),
    ),
}
"""The parameters of each kernel; those with a star are arrays."""
SOURCES = ("kernels.py", "weighing.py", "machine.py")
"""What the code depends on."""
DIGEST = 32
_LOADING = threading.Lock()


class Kernels(NamedTuple):
    """The kernels, as `logitpack.kernels` has them; `kept` is what their code lives in."""

    scan: Callable[..., None]
    look: Callable[..., None]
    weigh: Callable[..., None]
    kept: Any


def kernels() -> Kernels | None:
    """Load the kernels, or compile them, which takes seconds; None where numba is not there."""
    with _LOADING:
        return _kernels()


@cache
def _kernels() -> Kernels | None:
    try:
        import llvmlite.binding as llvm
    except ImportError:
        return None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name = _name(llvm)
    for folder in _folders():
        with suppress(OSError, RuntimeError):
            content = (folder / name).read_bytes()
            code = content[DIGEST:]
            if hashlib.sha256(code).digest() == content[:DIGEST]:
                return _loaded(llvm, code)
    try:
        from logitpack.kernels import compiled
    except ImportError:
        return None
    functions = compiled(SIGNATURES)
    with suppress(RuntimeError):
        _keep(name, _code(llvm, functions))
    return _callable({each: function.address for each, function in functions.items()}, functions)


def _name(llvm: Any) -> str:
    """Give the name of the file for what the code depends on: its source, its compilers, and the processor."""
    from importlib.metadata import PackageNotFoundError, version

    folder = Path(__file__).parent
    with suppress(OSError):
        sources = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SOURCES]
        with suppress(PackageNotFoundError):
            processor = [llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
            made = json.dumps([sources, version("numba"), version("llvmlite"), processor])
            return f"kernels-{hashlib.sha256(made.encode()).hexdigest()[:16]}.o"
    return ""


def _folders() -> Iterator[Path]:
    """Yield the folders where code may be kept, the preferred one first."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(given)
        return
    yield Path(__file__).parent / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logitpack"


def _target(llvm: Any) -> Any:
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    options = {"opt": 3, "reloc": "default", "codemodel": "jitdefault", "jit": True}
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, **options)


def _code(llvm: Any, functions: dict[str, Any]) -> bytes:
    """Give the code of functions as an object file. Raises RuntimeError where it needs anything else to run."""
    whole = llvm.parse_assembly("")
    for name, function in functions.items():
        module = llvm.parse_assembly(function.inspect_llvm())
        needed = [each.name for each in module.functions if each.is_declaration and not each.name.startswith("llvm.")]
        if needed:
            raise RuntimeError(f"{name} calls {needed}")
        module.get_function(function.native_name).name = name
        whole.link_in(module)
    code: bytes = _target(llvm).emit_object(whole)
    return code


def _keep(name: str, code: bytes) -> None:
    for folder in _folders() if name else ():
        with suppress(OSError, UsageError):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / name) as temporary:
                temporary.write_bytes(hashlib.sha256(code).digest() + code)
            return


def _loaded(llvm: Any, code: bytes) -> Kernels:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target(llvm))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return _callable({name: engine.get_function_address(name) for name in SIGNATURES}, engine)


def _callable(addresses: dict[str, int], kept: Any) -> Kernels:
    functions = {}
    for name, parameters in SIGNATURES.items():
        prototype = ctypes.CFUNCTYPE(None, *map(_type, parameters))
        functions[name] = prototype(addresses[name])
    return Kernels(**functions, kept=kept)


def _type(parameter: str) -> Any:
    """Give the type of an argument, which an array that is not just so does not pass."""
    if not parameter.endswith("*"):
        return ctypes.c_int64
    return np.ctypeslib.ndpointer(parameter.rstrip("*"), flags=("C_CONTIGUOUS", "ALIGNED"))
