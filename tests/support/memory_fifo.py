"""A FIFO queue in memory: groups that are locked while one of their messages is in flight, and each message once."""

from __future__ import annotations

from dataclasses import dataclass, field

DEDUPLICATED_FOR = 300.0


@dataclass
class Group:
    """Messages of one group in order, by their ids."""

    messages: dict = field(default_factory=dict)
    in_flight: dict = field(default_factory=dict)

    def free_at(self, now):
        """When a message of it can be received: when all that were are visible again."""
        self.in_flight = {key: each for key, each in self.in_flight.items() if each.visible_at > now}
        return max((each.visible_at for each in self.in_flight.values()), default=now)


class FifoQueue:
    """One queue. High-throughput mode: what is once is so within its group."""

    def __init__(self):
        self.groups = {}
        self._sent = {}
        self._receipts = {}
        self._last_group = None

    def __iter__(self):
        return (message for group in self.groups.values() for message in group.messages.values())

    def __len__(self):
        return sum(len(group.messages) for group in self.groups.values())

    def send(self, message, once, now):
        """Add a message; returns the id of the one that is there, if it was sent before."""
        assert message.group, "a FIFO queue wants a group for each message"
        assert once, "a FIFO queue wants to know what two messages have in common that are one"
        sent_at, id_ = self._sent.get((message.group, once), (float("-inf"), ""))
        if sent_at > now - DEDUPLICATED_FOR:
            return id_
        self._sent[message.group, once] = now, message.id
        self.groups.setdefault(message.group, Group()).messages[message.id] = message
        return message.id

    def next_at(self, now):
        """When something can be received; None: never."""
        return min((group.free_at(now) for group in self.groups.values()), default=None)

    def receive(self, now, limit, visibility, receipt):
        """Messages of groups that are free: of each in order, of several in turn."""
        names = list(self.groups)
        if self._last_group in self.groups:
            middle = names.index(self._last_group) + 1
            names = names[middle:] + names[:middle]
        waiting = [
            iter(group.messages.values())
            for group in (self.groups[name] for name in names)
            if group.free_at(now) <= now
        ]
        received = []
        while waiting and len(received) < limit:
            for each in list(waiting):
                message = next(each, None)
                if message is None or len(received) == limit:
                    waiting.remove(each)
                else:
                    received.append(message)
        for message in received:
            message.receives += 1
            message.visible_at = now + visibility
            message.receipt = receipt()
            self._receipts[message.receipt] = message
            self.groups[message.group].in_flight[message.id] = message
            self._last_group = message.group
        return received

    def of_receipt(self, receipt):
        """The message that was received so, unless it was received again since."""
        message = self._receipts.get(receipt)
        return message if message is not None and message.receipt == receipt else None

    def clear(self):
        self.groups.clear()

    def delete(self, ids):
        for name, group in list(self.groups.items()):
            for id_ in ids & group.messages.keys():
                del group.messages[id_]
                group.in_flight.pop(id_, None)
            if not group.messages:
                del self.groups[name]
