"""A stage whose target minds the order: nothing of a key may come before all that was accepted earlier is settled."""

from __future__ import annotations

from collections import defaultdict

from causeway.delivery.going_on import KEY
from tests.support.deliveries import Stage, plan_of


class OrderedStage(Stage):
    """Deliveries with the key ``customer``; ``answers`` says what the target does with an event."""

    def __init__(self, *, wrap=lambda thing: thing, jitter=0.0, **plan):
        super().__init__(plan_of(order_by="data.customer", **plan), wrap=wrap, jitter=jitter)
        self.accepted = defaultdict(list)
        self.answers = lambda customer, number, attempt: 200  # noqa: ARG005 - what it is asked
        self.not_before = {}
        self.violations = []
        self.settled = defaultdict(int)  # so many of a customer's are, from the first one on
        self.early = (
            0  # attempts before a Retry-After was over: whoever heard it was cut off before it said so
        )
        self.target.on("/entries", self._answer)

    def accept_next(self, customer):
        """Accept a customer's next event; returns the delivery's id."""
        return self.accept_all([customer])[0]

    def accept_all(self, customers):
        """Accept the next event of each of these, in this order; returns the deliveries' ids."""
        messages = []
        for customer in customers:
            number = len(self.accepted[customer])
            event = f"{customer}-{number}"
            message = self.first_message(event, acceptance=event, data={"customer": customer, "n": number})
            self.accepted[customer].append(message["delivery"])
            messages.append(message)
        self.send(messages)
        return [message["delivery"] for message in messages]

    def _answer(self, asked):
        customer, number = asked.body["customer"], asked.body["n"]
        while self.settled[customer] < number and self._is_settled(customer, self.settled[customer]):
            self.settled[customer] += 1
        if self.settled[customer] < number:
            before = f"{customer}-{self.settled[customer]}"
            self.violations.append(f"{customer}-{number} came while {before} was not settled")
        if asked.at < self.not_before.get((customer, number), 0.0):
            self.early += 1
        answer = self.answers(customer, number, int(asked.headers["causeway-attempt"]))
        if isinstance(answer, tuple) and "retry-after" in answer[2]:
            self.not_before[customer, number] = asked.at + float(answer[2]["retry-after"])
        return answer

    def _is_settled(self, customer, number):
        item = self.item(self.accepted[customer][number])
        return item is not None and item["status"] in ("delivered", "dead")

    def came(self, customer):
        """The numbers of a customer's events in the order in which they reached the target."""
        return [each.body["n"] for each in self.target.asked if each.body["customer"] == customer]

    def check_settled(self, *, cut_off=0):
        """What must hold when all is done, whatever happened on the way; so often somebody was cut off."""
        assert not self.violations, self.violations[:5]
        assert self.early <= cut_off
        delivered, _ = self.pages()
        for deliveries in self.accepted.values():
            for delivery in deliveries:
                item = self.item(delivery)
                assert item["status"] in ("delivered", "dead")
                assert {"due_shard", "due_at"}.isdisjoint(item)
                assert item["status"] == "dead" or delivery in delivered
        left = [key for key in self.memory.tables["journal"] if key[0].startswith(KEY)]
        assert not [part for _, part in left if part == "delivery"], "a key is parked, and nobody waits"
