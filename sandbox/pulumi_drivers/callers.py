"""Who may call the provider: a `pulumi` command of this user, recognised by the socket that it calls from.

The protocol has no room for a secret, and the provider's port is open to every process of the machine. Linux tells
who is at the other end: /proc/net/tcp has each connection's user and inode, and a process's open files name the inode.
The kernel shows the files of one user's processes to that user alone, so this can't be faked.

Where there is no such table (macOS, WSL 1), every local process is admitted: on a shared machine,
they could then ask the provider to build a context of this project and to read and change what is in the emulated
account, as long as the sandbox runs.
"""

import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

Candidates = Callable[[], Iterable[int]]
"""Returns the ids of the processes that may call."""

_HOST = "127.0.0.1"
_PROC = Path("/proc")
_TABLES = ("net/tcp", "net/tcp6")
_LISTENING = "0A"
_WIDTH = len("0100007F:0016")
_ATTEMPTS, _PAUSE = 5, 0.02  # seconds; a command that was just started may not be known by its id yet


@dataclass(frozen=True, slots=True)
class _Row:
    """A socket of this machine: addresses as the kernel writes them."""

    local: str
    remote: str
    state: str
    uid: int
    inode: int


class OnlyFrom(grpc.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Refuses every call from a process that isn't one of the candidates, with PERMISSION_DENIED."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._port = 0
        self._decidable = True
        self._admitted: set[tuple[str, int]] = set()
        """Connections, by the caller's address and the inode of this process's end: no later one has both."""
        self._lock = threading.Lock()

    def listening_on(self, port: int) -> None:
        """Set the port that is served; call this before the first call comes."""
        self._port = port
        here = _address(port)
        # If the table doesn't have the server itself, it can't tell who calls it.
        self._decidable = any(row.local == here and row.state == _LISTENING for row in _rows())

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Put the check before a call's handler."""
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:  # the provider has no streaming calls
            return None

        def checked(request: Any, context: Any) -> Any:
            if not self._admits(context.peer()):
                context.abort(
                    grpc.StatusCode.PERMISSION_DENIED,
                    "This is the provider of a running sandbox: only the pulumi command of that sandbox may call it.",
                )
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            checked, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )

    def _admits(self, peer: str) -> bool:
        if not self._decidable:
            return True
        connection = peer, _own_inode(peer)
        if connection in self._admitted:
            return True
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE)
            row = self._caller(peer)
            if row is None or row.uid != os.getuid():
                continue
            if any(_holds(pid, row.inode) for pid in self._candidates()):
                if connection[1]:
                    with self._lock:
                        self._admitted.add(connection)
                return True
        return False

    def _caller(self, peer: str) -> _Row | None:
        """Return the caller's end of a connection, such as `ipv4:127.0.0.1:50000`."""
        port = peer.rpartition(":")[2]
        if not peer.startswith(f"ipv4:{_HOST}:") or not port.isdecimal():
            return None
        ends = _address(int(port)), _address(self._port)
        for row in _rows():
            if row.inode and (row.local, row.remote) == ends:
                return row
        return None


def started_by(pid: Callable[[], int | None]) -> Candidates:
    """A command that this process has started, if it runs, and its descendants."""

    def candidates() -> Iterator[int]:
        root = pid()
        if root is None:
            return
        parents = {process: _parent(process) for process in _processes()}
        for process in parents:
            ancestor: int | None = process
            while ancestor and ancestor != root:
                ancestor = parents.get(ancestor)
            if ancestor == root:
                yield process

    return candidates


def told(variables: Mapping[str, str]) -> Candidates:
    """Every `pulumi` of this user that was started with these variables, in any terminal."""
    wanted = {f"{name}={value}".encode() for name, value in variables.items()}

    def candidates() -> Iterator[int]:
        for process in _processes():
            try:
                program = (_PROC / str(process) / "exe").readlink().name
                told = (_PROC / str(process) / "environ").read_bytes() if "pulumi" in program else b""
            except OSError:  # another user's, or gone
                continue
            if wanted <= set(told.split(b"\0")):
                yield process

    return candidates


def _processes() -> list[int]:
    return [int(entry.name) for entry in os.scandir(_PROC) if entry.name.isdecimal()]


def _parent(process: int) -> int | None:
    try:
        return int((_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _holds(process: int, inode: int) -> bool:
    try:
        files = list((_PROC / str(process) / "fd").iterdir())
    except OSError:
        return False
    return any(_target(file) == f"socket:[{inode}]" for file in files)


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:  # closed just now
        return ""


def _own_inode(peer: str) -> int:
    """The inode of this process's end of a connection, 0 if it isn't found.

    It is in this process's open files, which take far less time than the kernel's table of all connections.
    """
    for descriptor in [int(entry.name) for entry in (_PROC / "self" / "fd").iterdir()]:
        try:
            status = os.fstat(descriptor)
            if stat.S_ISSOCK(status.st_mode) and _peer(descriptor) == peer:
                return status.st_ino
        except OSError:  # closed just now, or not connected
            continue
    return 0


def _peer(descriptor: int) -> str:
    """Who is at the other end of a socket, in gRPC's words for IPv4."""
    own = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, fileno=descriptor)  # has room for both families
    try:
        name = own.getpeername()
    finally:
        own.detach()  # it stays gRPC's
    # gRPC listens for both families at once, and says of a caller by IPv4 that it is one.
    return f"ipv4:{name[0].removeprefix('::ffff:')}:{name[1]}" if isinstance(name, tuple) else ""


def _rows() -> Iterator[_Row]:
    for table in _TABLES:
        try:
            lines = (_PROC / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            # A socket of both families has its address at the end of one of version 6.
            local, remote = fields[1][-_WIDTH:], fields[2][-_WIDTH:]
            yield _Row(local, remote, fields[3], int(fields[7]), int(fields[9]))


def _address(port: int) -> str:
    """A loopback address as the kernel's table has it: the four bytes as one number of this machine, in hex."""
    return f"{int.from_bytes(socket.inet_aton(_HOST), sys.byteorder):08X}:{port:04X}"
