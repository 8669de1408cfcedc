"""Functions, layers and runtime client as Lambda has them: made by the Makefile's targets for `sam build`."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parents[1] / "peers"

_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


class Built:
    """What was built, below one folder: ``opt`` (all layers), ``runtime``, one for each function and peer."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.python = python
        self._version = _output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        self._machine = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

    def everything(self, names: list[str]) -> None:
        """Build these functions and peers, and what all of them need."""
        opt = self.folder / "opt"
        self._make("DependenciesLayer", ROOT / "layers/dependencies" / self._machine, opt)
        self._make("CausewayLayer", ROOT / "layers/causeway", opt)
        self._make("PlanLayer", ROOT / "integrations", opt)
        for name in names:
            if (PEERS / f"{name}.py").is_file():
                self._copy_peer(PEERS / f"{name}.py")
            else:
                self._make(f"{name.capitalize()}Function", ROOT / "functions" / name, self.folder / name)
        self._install_runtime_client()

    def _make(self, target: str, source: Path, into: Path) -> None:
        into.mkdir(parents=True, exist_ok=True)
        command = ["make", "-s", "-f", str(ROOT / "Makefile"), f"build-{target}", f"ARTIFACTS_DIR={into}"]
        command += [f"RUNTIME={self._version}", f"RUNTIME_PYTHON={self.python}"]
        subprocess.run(command, cwd=source, check=True)

    def _copy_peer(self, peer: Path) -> None:
        folder = self.folder / peer.stem
        folder.mkdir()
        (folder / "app.py").write_bytes(peer.read_bytes())
        self._compile(folder)

    def _install_runtime_client(self) -> None:
        """Lambda's own part, from the lock of the SAM command line's environment."""
        blocks = re.split(r"\n(?=\S)", (ROOT / "requirements/sam.txt").read_text())
        lock = self.folder / "runtime.txt"
        lock.write_text("\n".join(each for each in blocks if each.split("==")[0] in _RUNTIME_CLIENT) + "\n")
        target = self.folder / "runtime"
        command = [
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]
        command += ["--only-binary", ":all:", "--no-compile", "--target", str(target), "-r", str(lock)]
        subprocess.run([self.python, *command], check=True)
        self._compile(target)

    def _compile(self, folder: Path) -> None:
        command = [self.python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
        subprocess.run(command, check=True)


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
