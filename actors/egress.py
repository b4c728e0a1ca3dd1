"""Watches that Dhan takes a follower's orders from the address that they come from."""

import logging
from datetime import datetime, timedelta

from actors.account import Account, AddressesAnswered
from actors.answers import Answers
from actors.standing import Standing
from dhan.codec.addresses import addresses
from domain.inputs import AddressTold
from domain.outcomes import Refusal, Refused

logger = logging.getLogger(__name__)

_DAY = timedelta(hours=24)
_AGAIN = timedelta(minutes=1)


class EgressWatch:
    """Asks Dhan at the start and once a day; every minute while the account is parked for its
    address, or Dhan did not say."""

    def __init__(self, account: Account, standing: Standing, name: str) -> None:
        self._account, self._standing = account, standing
        self._asked_at: datetime | None = None
        self._known = False
        self._answers = Answers(logger, f"Whether orders of {name} are taken is not known")

    def again(self) -> None:
        """Ask at the next look, whatever is known."""
        self._asked_at = None

    def look(self, now: datetime) -> None:
        """Ask, if it is time to."""
        every = _DAY if self._known and not self._standing.address_refused else _AGAIN
        if self._asked_at is None or now - self._asked_at >= every:
            self._asked_at = now
            self._account.read_addresses()

    def told(self, message: AddressesAnswered) -> list[AddressTold]:
        """What is to be known of Dhan's word."""
        said = self._answers.read(message.answer, addresses)
        self._known = said is not None
        if said is None:
            return []
        own = self._account.source_ip
        if said.admits(own) is False:
            what = f"Dhan takes no orders from {said.used(own) or 'here'}; {said.remedy(own)}"
            return [AddressTold(Refusal(Refused.ADDRESS, what))]
        return [AddressTold(None)] if self._standing.address_refused else []
