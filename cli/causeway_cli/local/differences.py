"""What the emulator cannot hold of the template, and how else this cloud differs from AWS: the whole list.

`causeway dev` shows it (``--differences``), so that nobody takes something for tried that was not.
"""

from __future__ import annotations

import os

AT_ONCE = max(4, 2 * (os.cpu_count() or 1))
"""Processes of one function at the same time: each costs memory and, when it starts, most of a second."""

LEFT_OUT: dict[str, str] = {
    "AWS::Events::Archive": "the emulator's CloudFormation has no archives",
    "AWS::CloudWatch::Alarm": "there are no metrics here to watch; tests evaluate the template's alarms",
    "AWS::CloudWatch::CompositeAlarm": "there are no alarms here to put together",
    "AWS::CloudWatch::Dashboard": "there are no metrics here to show",
}
"""Types of resources that are not deployed here, and why."""

LAYERS_LEFT_OUT: dict[str, str] = {
    "CausewayLayer": "imported from this checkout, so that a change needs no build",
    "DependenciesLayer": "imported from .venv: functions run on this machine's Python",
}
"""Layers that functions do not get here, by their name in the template."""

PROPERTIES_LEFT_OUT: dict[str, str] = {
    "AutoPublishAlias": "functions are invoked as $LATEST: each version would keep its processes",
    "DeploymentPreference": "no CodeDeploy: a change is there at once",
}
"""Properties that functions do not get here."""

BEHAVIOUR: dict[str, str] = {
    "API routes": "with their authorizers, made from the API's OpenAPI body: the emulator does not read it",
    "Python": "functions run on this machine's Python, not on the runtime that the template names",
    "/opt": "layers are unpacked beside the code, so CAUSEWAY_PLAN points there",
    "SQS batches": "authorized as on AWS, where IAM has no actions for batches; the emulator's own need one",
    "concurrency": f"at most {AT_ONCE} processes of a function, whatever the template says",
    "FIFO queues": "one batch of ordered deliveries at a time: groups are not handed out side by side",
    "SSM parameters": "authorized one by one as on AWS; the emulator's own asks for all parameters there are",
    "log groups": "authorized by their streams as on AWS; the emulator's own are authorized by their names",
    "event sources": "the emulator reads queues with its own rights, not with those of the function's role",
    "bus": "its rule invokes the function once for each event; AWS tries again, and puts away what fails",
    "stream": "one batch of a shard at a time, and nothing is put away that failed for long",
    "TLS": "requests on loopback count as encrypted, which queues and buckets insist on",
    "tracing": "X-Ray's traces go nowhere",
    "targets": "queues, buses and buckets that the map names are made here; on AWS they are there already",
    "state": "in memory: it ends with `causeway dev`",
}
"""How else it differs, by subject."""
