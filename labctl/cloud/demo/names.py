"""Names for what one run of the demo makes; no two runs share any."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """All names of a run.

    Attributes:
        run: The run's own name, `demo-` and six hexadecimal digits; the prefix of all others.
    """

    run: str

    @classmethod
    def new(cls) -> "Names":
        """Names for a new run."""
        return cls(f"demo-{secrets.token_hex(3)}")

    def of(self, what: str) -> str:
        """The name of one thing: `demo-ab12cd-router`."""
        return f"{self.run}-{what}"

    def servers(self, count: int) -> tuple[str, ...]:
        """The servers' names, `demo-ab12cd-1` and so on; valid as host names.

        Args:
            count: How many; nova numbers the servers of one request just so.
        """
        return tuple(f"{self.run}-{index}" for index in range(1, count + 1))

    def server_request(self, count: int) -> str:
        """The name to ask nova for: it appends the number itself, but only when it makes more than one."""
        return self.run if count > 1 else self.servers(1)[0]
