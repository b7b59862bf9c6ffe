"""When the next request of a client may go out.

* **pause**: a rate limit is about the project, not one conversation, so one 429 holds back every request. A
  longer wait that another 429 asks for lengthens the pause; a shorter one changes nothing.
* **pace**: with a cap on requests per second each request takes the next free slot, in the order in which
  they came, retries and those that a pause held back too: there are no bursts.
* **patience**: a request waits for the pause at most as long as a server can ask one to wait (120 s). If
  other requests' 429s still lengthen it then, this one asks for itself, so that nothing waits for ever.

What belongs here: waiting before an attempt. What does not: how long a failed request waits for its own next
attempt (`refusals.py`), and how many are in flight (`client.py`).
"""

from __future__ import annotations

import asyncio

import stamina

from connectors.openai_conversations.refusals import MAX_RETRY_AFTER_S


class Pace:
    """The one queue that all requests of a client pass before they are sent."""

    def __init__(self, requests_per_second: float | None) -> None:
        """Space requests evenly, or with None not at all."""
        self._seconds_apart = 0.0 if requests_per_second is None else 1 / requests_per_second
        self._free_at = 0.0
        self._resume_at = 0.0
        self._turn = asyncio.Lock()

    def pause(self, seconds: float) -> None:
        """Hold every request back for so long, or for what is left of a longer pause."""
        self._resume_at = max(self._resume_at, _now() + seconds)

    async def wait(self) -> None:
        """Return when a request may be sent; it has to be sent at once."""
        if stamina.is_testing():  # its test mode turns waits off, so these too
            return
        if not self._seconds_apart and not self._resume_at:
            return  # nothing was ever asked of it, as in most runs
        patient_until = _now() + MAX_RETRY_AFTER_S
        async with self._turn:
            while (start_at := max(self._free_at, min(self._resume_at, patient_until))) > _now():  # noqa: ASYNC110 - it may grow
                await asyncio.sleep(start_at - _now())
            self._free_at = _now() + self._seconds_apart


def _now() -> float:
    return asyncio.get_running_loop().time()
