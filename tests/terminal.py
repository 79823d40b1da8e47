"""The command line as a process of its own: in a terminal, or in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[1-7]|9[1-7]|38;[0-9;]+)(?:;\d+)*m")
DECIDING = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Variables that change what a terminal shows."""


def _environment(variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in DECIDING}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def in_a_pipe(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command with these environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "symgrad", *arguments],
        env=_environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def in_a_terminal(*arguments: str, **variables: str) -> tuple[int, str]:
    """The exit code, and all that a terminal is sent."""
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "symgrad", *arguments],
        env=_environment({"TERM": "xterm-256color", **variables}),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    seen = b""
    try:
        while chunk := os.read(reader, 65536):
            seen += chunk
    except OSError:  # how Linux says that nobody holds the other side any more
        pass
    os.close(reader)
    return process.wait(), seen.decode("utf-8").replace("\r\n", "\n")
