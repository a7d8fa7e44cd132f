"""Chainlink-shaped feeds: an answer is a price only when it is positive, fresh and scaled as configured."""

from decimal import Decimal

from bot.chain.multicall import Call, Reading
from bot.core.errors import ConfigError, DataError, StaleData
from bot.core.types import Feed, Price
from bot.core.units import Money, Timestamp

ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
LEAD_S = 15  # a feed may be written by a sequencer's clock slightly ahead of the block's


def prices(feeds: tuple[Feed, ...], now: Timestamp) -> Reading[tuple[Price, ...]]:
    """Read every feed, in their order. `now`: the block's timestamp. Errors as `price`. One round."""
    answers = yield [call for feed in feeds for call in feed_calls(feed)]
    return tuple(
        price(feed, latest, decimals, now)
        for feed, latest, (decimals,) in zip(feeds, answers[::2], answers[1::2], strict=True)
    )


def feed_calls(feed: Feed) -> list[Call]:
    """Ask for the latest round and the decimals."""
    return [
        Call.of(feed.address, "latestRoundData()", returns=ROUND),
        Call.of(feed.address, "decimals()", returns=("uint8",)),
    ]


def price(feed: Feed, latest_round: tuple[int, ...], decimals: int, now: Timestamp) -> Price:
    """Money for one whole token, exact.

    ConfigError when the decimals are not as configured; DataError when the answer is not positive, at an end of what
    the feed may say, or from the future; StaleData when it is older than the feed's limit.
    """
    name = f"feed of {feed.token.symbol} ({feed.address})"
    if decimals != feed.decimals:
        raise ConfigError(
            f"{name}: expected {feed.decimals} decimals as configured, found {decimals}; "
            "correct the number in the market file, or the address"
        )
    _, answer, _, updated_at, _ = latest_round
    if answer <= 0:
        raise DataError(f"{name}: expected a positive price, found {answer}; wait for the feed, or change it")
    if not feed.least < answer < feed.most:
        least, most = (Decimal(bound).scaleb(-decimals) for bound in (feed.least, feed.most))
        raise DataError(
            f"{name}: expected a price between {least:f} and {most:f}, found {Decimal(answer).scaleb(-decimals):f}; "
            "see whether the feed still follows the market, or widen least_price and most_price"
        )
    age_s = now - updated_at
    if age_s < -LEAD_S:
        raise DataError(f"{name}: expected an answer older than the block, found one {-age_s} s ahead; change the feed")
    if age_s > feed.max_age_s:
        raise StaleData(
            f"{name}: expected an answer at most {feed.max_age_s} s old, found one of {age_s} s; "
            "wait for the feed, or see whether it was replaced"
        )
    money = Money(Decimal(answer).scaleb(-decimals))
    return Price(feed.token, money, f"chainlink:{feed.address}", Timestamp(updated_at))
