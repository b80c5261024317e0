"""Start commands as forks of one process that has imported their libraries.

Each command is a process of its own, in a session of its own: with its own folder, environment and streams.
The environment variables that libraries read while they are imported must be those of this process; a
command with others is refused, and the client runs it by itself.

Usage: python warm_server.py PROGRAM SOCKET OWNER
PROGRAM is dvc or python; the server ends when the process of the ID OWNER has ended.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

OF_PYTHON = """
keras tensorflow h5py pooch pydantic archspec.cpu jinja2 yaml rich.live rich.table
matplotlib.backends.backend_agg matplotlib.figure matplotlib.style seaborn pandas pandas.io.formats.csvs
PIL.Image skimage.data skimage.exposure skimage.transform skimage.util
scipy.stats sklearn.covariance sklearn.datasets sklearn.metrics sklearn.model_selection cleanlab.count
distributed distributed.cli.dask_scheduler distributed.cli.dask_worker hydra.compose omegaconf
optuna.samplers optuna.storages sqlalchemy.dialects.sqlite.pysqlite alembic.migration
""".split()  # noqa: SIM905
OF_DVC = """
dvc.api dvc.cachemgr dvc.cli dvc.commands.data_sync dvc.daemon dvc.data_cloud dvc.dirs
dvc.repo.artifacts dvc.repo.brancher dvc.repo.checkout dvc.repo.datasets dvc.repo.fetch dvc.repo.graph
dvc.repo.index dvc.repo.metrics.diff dvc.repo.open_repo dvc.repo.params.diff dvc.repo.plots dvc.repo.push
dvc.repo.reproduce dvc.repo.stage dvc.repo.trie dvc.repo.worktree dvc.utils.strictyaml
dvc_data.fs dvc_data.hashfile._progress dvc_data.hashfile.db.index dvc_data.hashfile.db.local
dvc_data.hashfile.status dvc_data.index.checkout dvc_data.index.fetch dvc_data.index.push
dulwich.ignore dulwich.index dulwich.porcelain dulwich.repo dulwich.worktree networkx pygit2
ruamel.yaml.mergevalue scmrepo.fs scmrepo.git.backend.pygit2.filter fsspec.implementations.memory

celery.app.control celery.backends.filesystem celery.bin.celery celery.bin.worker dvc_task.app.filesystem
dvc.repo.experiments.executor.local dvc.repo.experiments.queue.celery dvc.repo.experiments.queue.tasks
dvc.repo.experiments.queue.workspace dvc.repo.experiments.run dvc.utils.hydra dvc.utils.plots dvc_render

aiobotocore.session aiohttp_retry asyncssh dvc_http.spec dvc_s3 dvc_ssh.client dvc_ssh.spec s3fs
filelock git gto.cli gto.tag hydra.compose omegaconf pydot
""".split()  # noqa: SIM905
WORKER = "--worker"  # argument of the processes that run tests
BY_CIFAR10 = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}  # as the package itself sets them
LARGE_PAGE, MADV_COLLAPSE = 1 << 21, 25  # bytes; a constant of <linux/mman.h>
READ_AT_IMPORT = ("DNNL_", "HDF5_", "KERAS_", "NPY_", "OMP_")  # how names of variables begin
READ_AT_IMPORT += ("ONEDNN_", "OPENBLAS_", "TENSORFLOW_", "TF_", "VECLIB_")


def main() -> None:
    """Import, then fork a process per connection."""
    gc.disable()  # imported modules are no garbage
    before = dict(os.environ)
    os.environ.update(BY_CIFAR10)
    sys.path.pop(0)  # the folder of this file
    program, address, owner = sys.argv[1:]
    for name in OF_DVC + (OF_PYTHON if program == "python" else []):  # scripts use DVC's API, too
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from dvc.cli.parser import get_main_parser

    get_main_parser()  # imports all commands
    if program == "python":
        from PIL import Image

        Image.init()  # and all formats
    set_by_imports = {name: value for name, value in os.environ.items() if name not in before | BY_CIFAR10}
    gc.freeze()  # no command's collector goes through what was imported
    gc.enable()
    gather_pages()
    Server(address, before, set_by_imports).serve(int(owner))


def gather_pages() -> None:
    """Move this process's memory into pages of 2 MB where Linux can: a fork then takes half the time."""
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, rights, _, _, _, *file = line.split()
        first, end = (int(address, 16) for address in addresses.split("-"))
        first, end = -(-first // LARGE_PAGE) * LARGE_PAGE, end // LARGE_PAGE * LARGE_PAGE
        if rights == "rw-p" and file in ([], ["[heap]"]) and first < end:
            madvise(first, end - first, MADV_COLLAPSE)  # without effect before Linux 6.1


class Server:
    """Forks, passes signals on, and returns exit codes."""

    def __init__(self, address: str, environment: dict[str, str], set_by_imports: dict[str, str]):
        self.python = str(Path(address).parent / "bin/python")
        self.set_by_imports = set_by_imports
        self.pinned = self.read_at_import(environment)
        self.clients: dict[int, socket.socket] = {}  # by process ID
        self.wake, wakened = os.pipe()
        os.set_blocking(wakened, False)
        signal.set_wakeup_fd(wakened)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wake, selectors.EVENT_READ, self.reap)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def read_at_import(self, environment: dict[str, str]) -> dict[str, str]:
        """Return the variables that a library reads when it is imported."""
        complete = self.set_by_imports | BY_CIFAR10 | environment
        return {name: value for name, value in complete.items() if name.startswith(READ_AT_IMPORT)}

    def serve(self, owner: int) -> None:
        """Answer until the owner has ended; then end what still runs."""
        while exists(owner):
            for key, _ in self.selector.select(timeout=1):
                key.data()
        for process in self.clients:
            kill(process, signal.SIGKILL)

    def accept(self) -> None:
        """Start the command of a new client."""
        client, _ = self.listener.accept()
        message, streams = receive(client)
        task = json.loads(message or "{}")
        if not task:
            client.close()
        elif self.read_at_import(task["environment"]) != self.pinned:
            client.sendall(b"refused\n")
            client.close()
        elif process := os.fork():
            self.clients[process] = client
            self.selector.register(client, selectors.EVENT_READ, lambda: self.hear(process))
        else:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, max(self.selector.get_map().keys() | set(streams)) + 1)
            sys.executable = self.python  # what the command starts is warm, too
            become(task, self.set_by_imports)
        for stream in streams:
            os.close(stream)

    def hear(self, process: int) -> None:
        """Pass a signal on; when the client is gone, end its command."""
        try:
            message = self.clients[process].recv(16)
        except ConnectionError:
            message = b""
        for number in message.split() or [b"9"]:
            kill(process, int(number))
        if not message:
            self.selector.unregister(self.clients[process])

    def reap(self) -> None:
        """Send the exit codes of the commands that have ended."""
        os.read(self.wake, 1000)
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                client = self.clients.pop(found[0])
                with contextlib.suppress(OSError):
                    client.sendall(b"%d\n" % os.waitstatus_to_exitcode(found[1]))
                with contextlib.suppress(KeyError):
                    self.selector.unregister(client)
                client.close()


def receive(client: socket.socket) -> tuple[bytes, list[int]]:
    """Read a line, and the file descriptors sent with it; the line is empty if the client ended before it."""
    with contextlib.suppress(ConnectionError):
        message, streams, *_ = socket.recv_fds(client, 1 << 16, 3)
        part = message
        while part and not message.endswith(b"\n"):
            part = client.recv(1 << 16)
            message += part
        return message if part else b"", list(array.array("i", streams))
    return b"", []


def exists(process: int) -> bool:
    """Tell whether a process runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def kill(process: int, number: int) -> None:
    """Send a signal to a command and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, number)


def become(task: dict, set_by_imports: dict[str, str]) -> None:
    """Turn this process into the command."""
    os.environ.clear()
    imports_them = Path(task["arguments"][0]).name != "dvc" and WORKER not in task["arguments"]
    if imports_them:  # the environment of a test process is that of its commands, also of those of DVC
        os.environ.update(set_by_imports)
    os.environ.update(task["environment"])
    os.chdir(task["folder"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream.isatty(), write_through="PYTHONUNBUFFERED" in os.environ)
    code = 1
    try:
        run(*task["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        traceback.print_exception(error)
        if isinstance(error, KeyboardInterrupt):
            code = -signal.SIGINT
    threading._shutdown()  # waits for threads, as the interpreter does at its end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 255)  # to take down all that was imported would cost as much as the fork saved


def run(first: str, *rest: str) -> None:
    """Run what `python FILE ...`, `python -m MODULE ...` or `python -c CODE ...` runs."""
    import_paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if first == "-m":
        sys.argv[:] = rest
        sys.path[:0] = [str(Path.cwd()), *import_paths]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv[:] = ["-c", *rest[1:]]
        sys.path[:0] = ["", *import_paths]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        sys.argv[:] = [first, *rest]
        sys.path[:0] = [str(Path(first).resolve().parent), *import_paths]
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    main()
