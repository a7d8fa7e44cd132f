"""What is measured: the operations, what they move, and the transactions that carry them out."""

from dataclasses import dataclass

from bench.contracts.scene import HOLDER, IDLE, NEWCOMER, PAIR, STAKE, Scene
from bot.chain import cheats
from bot.chain.abi import encode_call
from bot.chain.mainnet import USDC, WETH

SHARES = 10**24  # of the first mint
SOLD = 5_000 * 10**6  # USDC, in each swap
PAIRED = 10_000 * 10**6  # USDC, into the V2 pair
TRADES = 6  # of others between the preparation and the measurement; longer than the cool-down
PART = 10  # a later mint adds a tenth of the shares
FIRST_MINT = tuple(idle + 2 * stake for idle, stake in zip(IDLE, STAKE, strict=True))


@dataclass(frozen=True, slots=True)
class Job:
    """One operation: what is held before it, and the targets with own and with shared ticks."""

    key: str
    title: str
    ranges: int = 1
    moves: bool = False
    swaps: bool = False
    pair: bool = False  # LP tokens of the pair are held before
    target: tuple[int, int] | None = None  # None: what the floor takes, and 2 %

    @property
    def bundle(self) -> bool:
        """Whether the keeper does it; the daemon sends bundles with an access list."""
        return not self.key.startswith(("mint", "redeem"))


JOBS = (
    Job("move", "a   move a range", 1, moves=True, target=(440_000, 334_000)),
    Job("move_swap", "b   move a range and swap", 1, moves=True, swaps=True, target=(474_000, 369_000)),
    Job("move_two", "c0  move two ranges", 2, moves=True, target=(768_000, 514_000)),
    Job("move_two_swap", "c   move two ranges and swap", 2, moves=True, swaps=True, target=(801_000, 547_000)),
    Job("swap_v3", "V3 swap"),
    Job("swap_v2", "V2 swap"),
    Job("add_v2", "V2 add"),
    Job("remove_v2", "V2 remove half", pair=True),
    Job("mint_first", "mint, the vault's first", 0, target=(150_000, 150_000)),
    Job("mint_newcomer", "mint, a new holder", target=(150_000, 150_000)),
    Job("mint_later", "mint, a holder", target=(135_000, 135_000)),
    Job("redeem_half", "redeem half", target=(220_000, 185_000)),
    Job("redeem_newcomer", "redeem half, receiver holds nothing", target=(220_000, 185_000)),
)


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction."""

    sender: str
    to: str
    data: bytes


Plan = list[Tx]


def tx(sender: str, to: str, signature: str, *arguments: object) -> Tx:
    """A call of a function with its arguments."""
    return Tx(sender, to, encode_call(signature, *arguments))


async def run(scene: Scene, plan: Plan, listed: bool = False) -> int:
    """Send all of it; the gas used, summed."""
    return sum([await scene.send(each.sender, each.to, each.data, listed) for each in plan])


def least(amount: int) -> int:
    """Half a percent less than expected."""
    return amount * 995 // 1_000


def more(amount: int) -> int:
    """Half a percent more than expected."""
    return amount * 1_005 // 1_000


async def reserves(scene: Scene) -> tuple[int, int]:
    """The pair's USDC and WETH."""
    return await scene.call(HOLDER, PAIR.address, encode_call("getReserves()"), "uint112", "uint112")


async def pair_out(scene: Scene) -> int:
    """WETH for SOLD, as the pair's own formula has it."""
    usdc, weth = await reserves(scene)
    return SOLD * 997 * weth // (usdc * 1_000 + SOLD * 997)


async def paired(scene: Scene) -> tuple[int, int]:
    """PAIRED and as much WETH as belongs to it."""
    usdc, weth = await reserves(scene)
    return PAIRED, PAIRED * weth // usdc


async def half_of_pair(scene: Scene, who: str) -> int:
    """Half of somebody's LP tokens."""
    (held,) = await scene.call(who, PAIR.address, encode_call("balanceOf(address)", who), "uint256")
    return held // 2


async def receiver(scene: Scene, key: str) -> str:
    """Who takes what is redeemed; a newcomer is emptied first."""
    if key != "redeem_newcomer":
        return HOLDER
    for token in (USDC, WETH):
        await cheats.deal(scene.rpc, token.address, NEWCOMER, 0)
    return NEWCOMER
