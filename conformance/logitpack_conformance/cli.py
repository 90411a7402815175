"""`logitpack conform`: its options and its help.

Strategy: the command line of logitpack finds this by an entry point, and imports it to show its help; so what the suite
needs is imported only when it runs, and what is missing is said in one line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from .model import Container, Role

NEEDED = frozenset({"hypothesis", "jsonschema", "psutil", "pytest", "tomlkit", "rich", "jinja2"})
WRONG_USAGE = 2
MOST_JOBS = 4

EPILOG = """\b
COMMAND is a program that speaks the adapter protocol. It is started in an empty folder of its own;
arguments that name files are made absolute.

\b
Examples:
  logitpack conform -- ./my-adapter
  logitpack conform --report out/ -- node adapter.mjs
  logitpack conform --case 'idx/*' --roles reader -- python adapter.py
  logitpack conform --list --roles writer
  logitpack conform --expect known.toml --allow-expected -- ./my-adapter
  logitpack conform --report mine/ --keep-written --exchange theirs/ -- ./my-adapter

\b
Exit status: 0 conformant for the roles declared, 1 not conformant, 2 wrong usage, 3 the adapter did not start or broke
the protocol in hello, 4 the expected failures are stale, 5 a fault of the suite or its fixtures, 6 incomplete,
130 interrupted: shown and reported is what was run until then."""

conform = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Arguments:
    """What stands on the command line, but for wrong usage."""

    command: tuple[str, ...]
    one_shot: bool
    cases: tuple[str, ...]
    roles: tuple[Role, ...]
    containers: tuple[Container, ...]
    jobs: int
    timeout: float
    memory: int
    expect: Path | None
    update_expect: bool
    allow_expected: bool
    fuzz: int
    seed: int
    report: Path | None
    keep_written: bool
    exchange: tuple[Path, ...]
    fixtures: Path | None
    list_cases: bool
    self_test: bool


def _roles(value: str) -> tuple[Role, ...]:
    return tuple(Role(name) for name in _names(value, Role, "role"))


def _containers(value: str) -> tuple[Container, ...]:
    return tuple(Container(name) for name in _names(value, Container, "container"))


def _names(value: str, known: Iterable[str], noun: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    all_names = [str(one) for one in known]
    for name in names:
        if name not in all_names:
            raise typer.BadParameter(f"{name!r} is no {noun}; there are {', '.join(all_names)}")
    return list(dict.fromkeys(names))


@conform.command(
    name="conform",
    epilog=EPILOG,
    # What follows the first word of the command is the command's own, whether or not `--` stands before it.
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
)
def _conform(  # noqa: PLR0913, PLR0917 - one for each option
    command: Annotated[
        list[str] | None, typer.Argument(help="The adapter, after `--`.", metavar="COMMAND", show_default=False)
    ] = None,
    one_shot: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--one-shot", help="Start COMMAND read|write|check|extract REQUEST RESPONSE for each case.")
    ] = False,
    case: Annotated[
        list[str] | None, typer.Option(help="Run only cases that match; repeatable.", metavar="GLOB")
    ] = None,
    roles: Annotated[
        str, typer.Option(help="Run only these roles, by commas.", metavar="ROLES", show_default="all declared")
    ] = "",
    containers: Annotated[
        str, typer.Option(help="Run only these containers.", metavar="NAMES", show_default="all declared")
    ] = "",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            help="Adapter processes at a time.",
            metavar="N",
            show_default=f"one a processor, at most {MOST_JOBS}",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.01, help="Seconds a request may take; hello, 60 at least.", metavar="SECONDS")
    ] = 10.0,
    memory: Annotated[int, typer.Option(min=1, help="Memory of an adapter with its children.", metavar="MIB")] = 2048,
    expect: Annotated[
        Path | None, typer.Option(help="Failures that are expected: a TOML file.", metavar="FILE", show_default=False)
    ] = None,
    update_expect: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--update-expect", help="Rewrite that file.")
    ] = False,
    allow_expected: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--allow-expected", help="Exit with 0 where all failures are expected ones.")
    ] = False,
    fuzz: Annotated[int, typer.Option(min=0, help="Generated examples to try besides.", metavar="N")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The seed of those.", metavar="S")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Write reports into this folder.", metavar="DIR", show_default=False)
    ] = None,
    keep_written: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--keep-written", help="Keep what a writer writes, in DIR/written; needs --report DIR.")
    ] = False,
    exchange: Annotated[
        list[Path] | None,
        typer.Option(help="Send what another kept in its report besides; repeatable.", metavar="DIR"),
    ] = None,
    fixtures: Annotated[
        Path | None, typer.Option(help="Another folder with a manifest.", metavar="DIR", show_default=False)
    ] = None,
    list_cases: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--list", help="List the cases that would be run, and exit.")
    ] = False,
    self_test: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--self-test", help="Test the suite itself, with mutants.")
    ] = False,
) -> int:
    """Test a reader, writer, checker or extractor, in any language, against the specification."""
    arguments = Arguments(
        command=tuple(command or ()),
        one_shot=one_shot,
        cases=tuple(case or ()),
        roles=_roles(roles) if roles else (),
        containers=_containers(containers) if containers else (),
        jobs=jobs or min(os.cpu_count() or 1, MOST_JOBS),
        timeout=timeout,
        memory=memory << 20,
        expect=expect,
        update_expect=update_expect,
        allow_expected=allow_expected,
        fuzz=fuzz,
        seed=seed,
        report=report,
        keep_written=keep_written,
        exchange=tuple(exchange or ()),
        fixtures=fixtures,
        list_cases=list_cases,
        self_test=self_test,
    )
    _hold(arguments)
    try:
        from .program import main
    except ModuleNotFoundError as error:
        return lacks(error, "conform")
    return main(arguments)


def lacks(error: ModuleNotFoundError, command: str) -> int:
    """Say that a command lacks one of the packages it needs, and return the exit status. Raises any other error."""
    missing = (error.name or "").partition(".")[0]
    if missing not in NEEDED:
        raise error
    sys.stderr.write(f"error: {command} needs {missing}: pip install 'logitpack[conformance]'\n")
    return WRONG_USAGE


def _hold(arguments: Arguments) -> None:
    """Raise typer.BadParameter where options do not go together."""
    if not arguments.command and not arguments.list_cases and not arguments.self_test:
        raise typer.BadParameter("there is no COMMAND to test; it stands after `--`")
    if arguments.expect is None and (arguments.update_expect or arguments.allow_expected):
        raise typer.BadParameter("--update-expect and --allow-expected need --expect FILE")
    if arguments.update_expect and arguments.cases:
        raise typer.BadParameter("--update-expect needs a run over all cases")
    if arguments.keep_written and arguments.report is None:
        raise typer.BadParameter("--keep-written needs --report DIR")
