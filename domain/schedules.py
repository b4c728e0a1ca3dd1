"""What trades by the same hours: a segment, or a part of it with a close of its own."""

from enum import StrEnum

from domain.instruments import Segment


class Schedule(StrEnum):
    """The hours that an instrument keeps.

    The one that bears its segment's name is for all that is not told apart: in cash, shares with
    derivatives, which close by an auction (from 3 August 2026), and in commodities what is not
    agricultural. A PLAIN share has no derivatives; the LINKED commodities are those agricultural
    ones that follow world markets.
    """

    NSE_EQ = "NSE_EQ"
    NSE_EQ_PLAIN = "NSE_EQ_PLAIN"
    NSE_FNO = "NSE_FNO"
    NSE_CURRENCY = "NSE_CURRENCY"
    NSE_COMM = "NSE_COMM"
    BSE_EQ = "BSE_EQ"
    BSE_EQ_PLAIN = "BSE_EQ_PLAIN"
    BSE_FNO = "BSE_FNO"
    BSE_CURRENCY = "BSE_CURRENCY"
    MCX_COMM = "MCX_COMM"
    MCX_COMM_LINKED = "MCX_COMM_LINKED"
    MCX_COMM_AGRI = "MCX_COMM_AGRI"

    @classmethod
    def of(cls, segment: Segment) -> "Schedule":
        """The schedule of all in a segment that is not told apart. Raises ValueError for one whose
        orders are not copied."""
        return cls(segment.value)

    @property
    def segment(self) -> Segment:
        """Where it trades."""
        return _SEGMENTS[self]

    @property
    def words(self) -> str:
        """What trades by it, where that is not the rest of its segment."""
        return _WORDS.get(self, "")


_WORDS = {
    Schedule.NSE_EQ_PLAIN: "shares without derivatives",
    Schedule.BSE_EQ_PLAIN: "shares without derivatives",
    Schedule.MCX_COMM_LINKED: "cotton, crude palm oil, kapas",
    Schedule.MCX_COMM_AGRI: "other agricultural",
}
_SEGMENTS = {
    one: segment for one in Schedule for segment in Segment if one.value.startswith(segment.value)
}
