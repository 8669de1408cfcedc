"""AWS's runtime interface emulator with the real runtime client: one process is one Lambda instance."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

_INVOKE = "/2015-03-31/functions/function/invocations"
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")


class Instance:
    """A function's instance, from its cold start on; a context manager.

    Args:
        rie: the emulator's binary.
        python: the interpreter that is Lambda's.
        folder: the function's code, with app.py.
        path: where it finds its layers and the runtime client.
        environ: its environment variables.
    """

    def __init__(
        self, *, rie: Path, python: Path, folder: Path, path: list[Path], environ: dict[str, str]
    ) -> None:
        # -S: what this machine has in its site-packages is none of Lambda's business
        self._command = [str(rie), str(python), "-S", "-m", "awslambdaric", "app.handler"]
        self._folder = folder
        self._environ = environ | {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(map(str, [folder, *path])),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_LAMBDA_FUNCTION_NAME": folder.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        }

    def __enter__(self):
        outside, inside = _free_ports()
        self._log = tempfile.NamedTemporaryFile(suffix=".log")
        addresses = [f"--runtime-interface-emulator-address=127.0.0.1:{outside}"]
        addresses += [f"--runtime-api-address=127.0.0.1:{inside}"]
        self._process = subprocess.Popen(
            [self._command[0], *addresses, *self._command[1:]],
            cwd=self._folder,
            env=self._environ,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._connection = _connect(outside)
        return self

    def __exit__(self, *_):
        self._connection.close()
        # The runtime first, which else would take its time to find the emulator gone.
        for pid in [*self._runtimes(), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def invoke(self, event: object) -> tuple[float, object]:
        """Milliseconds and result of one invocation; the first one includes the cold start."""
        body = json.dumps(event)
        start = time.perf_counter()
        self._connection.request("POST", _INVOKE, body)
        answer = self._connection.getresponse().read()
        took = (time.perf_counter() - start) * 1000
        result = json.loads(answer)
        if isinstance(result, dict) and "errorMessage" in result:
            raise RuntimeError(f"the function failed: {result}\n{self.log()}")
        return took, result

    @property
    def init(self) -> float:
        """Milliseconds of its INIT, once it was invoked."""
        return float(_INIT.findall(self.log())[0])

    @property
    def cpu(self) -> float:
        """Milliseconds that its runtime has had a processor so far; other programs do not disturb it."""
        nanoseconds = [Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in self._runtimes()]
        return sum(map(int, nanoseconds)) / 1e6

    def _runtimes(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}").glob("task/*/children")
        return [int(pid) for file in children for pid in file.read_text().split()]

    def log(self) -> str:
        """What it wrote."""
        return Path(self._log.name).read_text()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _connect(port: int) -> http.client.HTTPConnection:
    """Wait until the emulator listens, which is not what is measured."""
    for _ in range(500):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return connection
    raise RuntimeError("the emulator does not listen")
