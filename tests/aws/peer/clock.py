"""The peer's clock: the machine's clock plus an offset that tests increase.

The state machine's waits and timeouts use it. The functions use it too: a small preloaded library (`clock.c`) adds the
offset, eight bytes in a file, to the machine's time.
"""

import mmap
import pathlib
import shutil
import struct
import subprocess
import threading
import time

SLICE = 0.05
"""How many real seconds a wait may continue after the clock was moved."""


class Clock:
    """Seconds since 1970: the machine's time plus the offset."""

    def __init__(self, folder: pathlib.Path):
        self.file = folder / "clock"
        self.file.write_bytes(struct.pack("=q", 0))
        with open(self.file, "r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)
        self._lock = threading.Lock()
        self.library = _library(folder)

    @property
    def offset(self) -> int:
        """The offset in seconds."""
        return struct.unpack("=q", self._shared[:8])[0]

    def now(self) -> float:
        """The current time."""
        return time.time() + self.offset

    def advance(self, seconds: int) -> None:
        """Moves the clock forward. It never goes back."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._shared[:8] = struct.pack("=q", self.offset + seconds)

    def environment(self) -> dict[str, str]:
        """Returns the environment variables that make a process use this clock."""
        return {"LD_PRELOAD": str(self.library), "PEER_CLOCK": str(self.file)}


def _library(folder: pathlib.Path) -> pathlib.Path:
    source = pathlib.Path(__file__).with_name("clock.c")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("a C compiler is needed for the clock of the functions (Rust needs one as well)")
    library = folder / "clock.so"
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


the: Clock
"""The clock of this process. `install` sets it before anything waits."""


def install(folder: pathlib.Path) -> Clock:
    """Creates the clock of this process."""
    global the
    the = Clock(folder)
    return the


class Event(threading.Event):
    """An event whose timeouts run on the peer's clock."""

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        end = the.now() + timeout
        while not self.is_set() and (left := end - the.now()) > 0:
            super().wait(min(left, SLICE))
        return self.is_set()
