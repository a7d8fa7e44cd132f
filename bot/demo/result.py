"""What a demo found out. Money in the policy's numeraire; plain values, so that it can be written as JSON."""

from dataclasses import dataclass

from bot.core.units import Money, Timestamp
from bot.ledger.place import Place


@dataclass(frozen=True, slots=True)
class RangeSeen:
    """A liquidity range that the vault held, as prices of `token` in `quote`."""

    pool: str
    token: str
    quote: str
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Hour:
    """The world as a cycle of the bot found it, before it acted; tuples in the order of `DemoResult.tokens`."""

    at: Timestamp
    prices: tuple[Money, ...]
    vault: Money  # what the first deposits are worth in the vault: value of a share times the first supply
    hold: Money  # what they are worth untouched
    left: Money  # what they are worth in the vault's first portfolio, its ranges included, left alone
    weights: tuple[float, ...]
    drift: float  # the worst
    drift_left: float | None  # the worst of the portfolio left alone; None before there is one
    band: float
    pools_off: float  # worst distance of a pool's price from the feeds', as a fraction
    ranges: tuple[RangeSeen, ...]
    liquidity: Money  # what lies in ranges is worth
    in_range: float | None  # part of that money whose range holds its pool's price; None when nothing is there
    fees_earned: Money  # this and the next two: of all ranges so far, as in `DemoResult`
    impermanent_loss: Money
    rebalancing_loss: Money


@dataclass(frozen=True, slots=True)
class PositionSeen:
    """A position as it was seen last; prices of `token` in `quote`, amounts for one unit of liquidity."""

    name: str  # its pool and ticks
    at: Timestamp
    place: Place


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle that was sent."""

    at: Timestamp
    tx: str
    ok: bool
    revert: str
    why: tuple[str, ...]
    did: tuple[str, ...]
    drift_before: float
    drift_after: float
    band: float
    traded: Money  # given in swaps
    swap_fees: Money
    gas_expected: int  # when it was planned
    gas_used: int
    gas_paid: Money
    off_wei: int  # worst difference of any amount of any step from what was expected, in its smallest unit


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bundle that was proposed and not sent."""

    at: Timestamp
    by: str  # "guard", "simulation" or "person": a person would have had to approve
    said: str


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """One token of the vault at the end, in its smallest unit."""

    symbol: str
    held: int  # by the vault: idle, in ranges and unclaimed
    redeemable: int  # the sum of what the vault says each holder could redeem now
    paid: int  # what they got, together, when on a copy of the chain they all did, one after the other
    bound: int  # the most that rounding down once for each of them can leave behind

    @property
    def dust(self) -> int:
        """What rounding keeps from the holders."""
        return self.held - self.redeemable

    @property
    def exact(self) -> bool:
        """Nobody was promised more than there is, nor less than rounding explains, and everybody got it."""
        return self.dust <= self.bound and self.redeemable <= self.paid <= self.held


@dataclass(frozen=True, slots=True)
class ShareAccount:
    """Whether every share is backed."""

    supply: int
    balances: tuple[tuple[str, int], ...]  # (who, shares), locked shares included
    tokens: tuple[TokenAccount, ...]

    @property
    def exact(self) -> bool:
        """Balances add up to the supply, and every token is exact."""
        return sum(shares for _, shares in self.balances) == self.supply and all(t.exact for t in self.tokens)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the table, the JSON and the report say."""

    chain: str  # which grade
    path: str  # where the prices come from
    made_up: bool
    policy: str  # name and version
    numeraire: str
    base_fee_gwei: Money  # of every block
    tokens: tuple[str, ...]
    targets: tuple[float, ...]
    deposited: Money  # at the first prices
    basket: tuple[float, ...]  # how much of it each token was
    hours: tuple[Hour, ...]  # hour 0 pays in; the last one is the end, after the last bundle
    bundles: tuple[Bundle, ...]
    refusals: tuple[Refusal, ...]
    cycles: int
    out_of_band: int  # cycles that found the worst drift outside the band
    fees_earned: Money  # by the vault's liquidity, each fee at the price when it was seen
    impermanent_loss: Money  # of all ranges, closed and open, against holding what went in; negative is a loss
    rebalancing_loss: Money  # of all ranges, against trading at the feeds' prices from hour to hour; above 0 is a loss
    positions: tuple[PositionSeen, ...]  # every range there was, in the order of their first sight
    flow: Money  # traded by ordinary flow
    withdrawn: Money  # by the depositor who left in the middle
    shares: ShareAccount
    seconds: float  # the demo took
