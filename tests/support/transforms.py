"""Transforms as a map has them, for tests."""


def to_entry(scope):
    return {"id": scope["id"], "lines": (scope["data"]["total"],)}


def fails(scope):
    raise ValueError("no")


def not_json(scope):
    return {"when": object()}


def quotes(scope):
    if scope["data"]["quote"]:
        raise ValueError(f"no account for {scope['data']['customer']['email']}")


def spoils(scope):
    scope["data"]["total"] = 0
    scope["constants"].clear()
