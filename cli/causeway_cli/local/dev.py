"""``causeway dev``: the whole stack here, without Docker and without an account."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer
from watchfiles import DefaultFilter, awatch

from causeway.authorizing.keys import Keys
from causeway.aws.table import Table
from causeway.settings.clock import SystemClock
from causeway_cli.account import local_aws, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import demo as demonstration
from causeway_cli.local import local_secrets, plan_layer, running, target_resources
from causeway_cli.local.cloud import STACK, Cloud
from causeway_cli.local.console import DevConsole
from causeway_cli.local.following import Follower
from causeway_cli.local.front import Front, serve_on
from causeway_cli.local.paths import LIBRARY, MAP, ROOT, TEMPLATE, state
from causeway_cli.local.server import Emulator, is_emulator
from causeway_cli.options import LAST_PORT, MapHere
from causeway_cli.stored_secrets import StoredSecrets

KEY_FOR = 30 * 86400.0
"""Seconds that the key of one run is good."""


def dev(
    *,
    integrations: MapHere = MAP,
    secrets: Annotated[
        Path | None,
        typer.Option("--secrets", help="YAML of name: value; what verifies is generated without."),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", envvar="PORT", min=1, max=LAST_PORT, help="Of the HTTP API.")
    ] = 8080,
    demo: Annotated[
        bool, typer.Option("--demo", help="Stand-ins for the example map's systems, and sample events.")
    ] = False,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", help="Use the ministack that runs there already.")
    ] = None,
    environment: Annotated[str, typer.Option("--environment", help="Which environment of the map.")] = "dev",
    differences: Annotated[
        bool, typer.Option("--differences", help="Show how this differs from AWS, and end.")
    ] = False,
) -> None:
    """Run the whole stack here: no Docker, no AWS account. Ctrl-C ends it.

    Example: causeway dev --demo
    """
    console = DevConsole()
    if differences:
        console.show_differences()
        return
    if endpoint_url and not is_emulator(endpoint_url):
        raise CommandError(
            f"no ministack answers at {endpoint_url}; elsewhere functions need their layers as built: "
            f"AWS_ENDPOINT_URL={endpoint_url} sam deploy"
        )
    values = local_secrets.read(secrets) if secrets else {}
    _refuse_busy(port)
    with ExitStack() as cleanup:
        directory = _own_directory(cleanup)
        session = Session(
            console=console,
            integrations=integrations.resolve(),
            environment=environment,
            values=values,
            port=port,
            demo=demo,
            directory=directory,
        )
        session.start(cleanup, endpoint_url)
        asyncio.run(session.serve())


class Session:
    """One run of `causeway dev`."""

    def __init__(
        self,
        *,
        console: DevConsole,
        integrations: Path,
        environment: str,
        values: dict[str, str],
        port: int,
        demo: bool,
        directory: Path,
    ) -> None:
        self._console = console
        self._integrations = integrations
        self._environment = environment
        self._values = values
        self._port = port
        self._demo = demo
        self._directory = directory
        self._layer = directory / "layer"
        self._url = f"http://127.0.0.1:{port}"

    def start(self, cleanup: ExitStack, endpoint_url: str | None) -> None:
        """Start the emulator and deploy everything, so that requests can be taken."""
        emulator = None
        if not endpoint_url:
            emulator = Emulator(self._directory)
            cleanup.callback(emulator.stop)
        self._plan = plan_layer.build(self._integrations, self._environment, self._layer)
        if emulator:
            emulator.wait_until_ready()
        endpoint = endpoint_url or emulator.endpoint  # type: ignore[union-attr]
        self._clients = local_clients(endpoint)
        self._cloud = Cloud(self._clients, endpoint, self._environment, self._url, self._layer)
        self._secrets = StoredSecrets(self._clients, STACK)
        self._cloud.deploy(target_resources.make(self._clients, self._plan))
        self._put_secrets(replace=True)
        self._key = self._make_key(endpoint)
        if self._demo:
            stand_ins = demonstration.start_stand_ins(self._console)
            cleanup.callback(stand_ins.shutdown)
        self._cloud.warm_up()
        running.publish(
            running.Running(
                port=self._port,
                endpoint=endpoint,
                stack=STACK,
                environment=self._environment,
                integrations=str(self._integrations),
                plan=str(self._layer / "plan"),
                pid=os.getpid(),
            )
        )
        cleanup.callback(running.withdraw, os.getpid())

    def _make_key(self, endpoint: str) -> str:
        """An API key with which whoever runs this looks at it and operates it; it ends with this run."""
        state = Table(local_aws(endpoint), self._cloud.stack.outputs()["State"])
        scopes = ("console:read", "console:operate")
        text, _ = Keys(state, SystemClock()).create(
            "dev", scopes=scopes, good_for=KEY_FOR, by=getpass.getuser()
        )
        return text

    def _put_secrets(self, *, replace: bool) -> None:
        missing = local_secrets.put(
            self._secrets, self._plan, self._values, generate_all=self._demo, replace=replace
        )
        for use in missing:
            self._console.event(
                use.used_by, "lacks", f"its secret: causeway secrets put {use.name}", style="bad"
            )
        for name in local_secrets.unused(self._values, self._plan):
            self._console.event(name, "unused", "the map names no such secret", style="wait")

    async def serve(self) -> None:
        """Take requests until the process is told to end."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        front = Front(self._cloud.api_url())
        follower = Follower(self._clients("logs"), self._cloud.log_groups(), self._console)
        following = threading.Event()
        threading.Thread(target=follower.run, args=(following,), daemon=True, name="logs").start()
        objects = target_resources.Objects(self._clients("s3"), lambda: self._plan, self._console)
        threading.Thread(target=objects.run, args=(following,), daemon=True, name="objects").start()
        serving = asyncio.create_task(serve_on(self._port, front, ended.wait))
        watching = asyncio.create_task(self._watch(front, ended))
        await _answers(self._port)
        self._console.flush(everything=True)
        self._console.show_map(self._plan)
        self._console.say("how this differs from AWS: causeway dev --differences")
        self._console.say(f"{self._url}/api answers to this key: {self._key}")
        self._console.say(f"look at it: {self._url}/console#key={self._key}")
        print(f"ready {self._url}", flush=True)
        if self._demo:
            await asyncio.to_thread(
                demonstration.send_samples, self._plan, self._secrets, self._url, self._console
            )
        await ended.wait()
        following.set()
        await asyncio.gather(serving, watching)
        self._console.flush(everything=True)

    async def _watch(self, front: Front, ended: asyncio.Event) -> None:
        """Deploy again whenever the map, a function, the library or the template changes."""
        watched = [
            path for path in (self._integrations, ROOT / "functions", LIBRARY, TEMPLATE) if path.exists()
        ]
        async for changes in awatch(*watched, stop_event=ended, watch_filter=DefaultFilter(), step=100):
            names = sorted({Path(path).name for _, path in changes})
            front.hold()
            try:
                await asyncio.to_thread(self._redeploy)
                self._console.event(", ".join(names[:3]), "deployed", style="ok")
            except Exception as error:  # noqa: BLE001 - whatever is wrong with what was saved, the old one runs on
                self._console.event(", ".join(names[:3]), "unchanged", f"not deployed: {error}", style="bad")
            finally:
                front.release()

    def _redeploy(self) -> None:
        self._plan = plan_layer.build(self._integrations, self._environment, self._layer)
        self._cloud.deploy(target_resources.make(self._clients, self._plan))
        self._put_secrets(replace=False)


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(f"port {port} is in use: choose another with --port") from error


async def _answers(port: int) -> None:
    """Return once the port takes connections."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.02)


def _own_directory(cleanup: ExitStack) -> Path:
    """A directory for this run; those of runs that were killed are removed."""
    for left in state().glob("run-*"):
        try:
            os.kill(int(left.name.removeprefix("run-")), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except PermissionError:
            continue
    directory = state() / f"run-{os.getpid()}"
    directory.mkdir(parents=True)
    cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
    return directory
