"""What can be sent with a stolen keeper's key: bundles as large as the vault allows, from within callbacks too."""

from collections.abc import Sequence
from fractions import Fraction

from bot.amm import v3
from tests.contracts.campaign.calldata import calldata, word
from tests.contracts.campaign.engine import Reverted
from tests.contracts.campaign.hand import Stage
from tests.contracts.campaign.plots import REMOVE, RUDE, SELL, Deed, Round
from tests.contracts.campaign.script import Call, packed
from tests.contracts.campaign.world import ADD as ADDS
from tests.contracts.campaign.world import HINT, MOST, V2_USD_ETH, WINDOWS, swap_data
from tests.contracts.campaign.world import REMOVE as REMOVES

BISECTIONS = 5
LEAST = 2**-10  # of a bundle that the vault refuses
SMALLER = ("limits:", "oracle: spot", "token: balance", "vault: floor")  # refusals of which less may be none
LITTLE = 10**6  # raw units asked for in a callback
UINT256 = 2**256
Action = tuple[int, int]


class Key:
    """Counts the calls of `execute` that were sent, and those that were not refused."""

    def __init__(self) -> None:
        self.calls = self.bundles = 0

    def send(self, stage: Stage, plan: Round) -> bool:
        """The whole bundle, or as much of it as the vault allows; whether it allows any."""
        refusal = self._execute(stage, plan, 1.0)
        if not refusal:
            return True
        if not refusal.startswith(SMALLER) or not self._allowed(stage, plan, LEAST):
            return False
        low, high = LEAST, 1.0
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._allowed(stage, plan, middle) else (low, middle)
        return not self._execute(stage, plan, low)

    def _allowed(self, stage: Stage, plan: Round, scale: float) -> bool:
        with stage.world.chain.undone():
            return not self._execute(stage, plan, scale)

    def _execute(self, stage: Stage, plan: Round, scale: float) -> str:
        """Why it was refused; nothing when it was not."""
        actions = [_hinted(stage, action, plan.later) for action in bundle(stage, plan.deeds, scale)]
        self.calls += 1
        try:
            if plan.inside:
                _execute_inside(stage, plan, actions)
            else:
                stage.world.execute(actions)
        except Reverted as refusal:
            return str(refusal) or "without a word"
        self.bundles += 1
        return ""


# ------------------------------------------------------------------ actions


def bundle(stage: Stage, deeds: Sequence[Deed], scale: float) -> list[Action]:
    """The actions of deeds, removes first as the vault wants them, unless one of them keeps to no rule."""
    held = [stage.balance(token) for token in range(len(stage.world.tokens))]
    found = [action for deed in deeds if (action := _action(stage, deed, held, Fraction(deed.share * scale)))]
    rude = any(deed.kind == RUDE for deed in deeds)
    return found if rude else sorted(found, key=lambda action: action[0] >> 248 != REMOVES)


def _action(stage: Stage, deed: Deed, held: list[int], share: Fraction) -> Action | None:
    world, pool = stage.world, deed.pool
    if deed.kind == RUDE:
        return _rude(deed)
    if deed.kind == REMOVE:
        return _remove(stage, deed)
    amounts = [min(int(held[token] * share), MOST) for token in world.sides[pool]]
    if deed.kind == SELL:
        return world.sell(pool, world.sides[pool][deed.side % 2], amounts[deed.side % 2])
    if pool == V2_USD_ETH:
        return world.action(ADDS, pool, 0, amounts[0] << 128 | amounts[1])
    ticks = stage.ticks(pool, deed.where, deed.width)
    return world.add_range(pool, ticks, v3.liquidity_for(world.spot(pool), *ticks, *amounts))


def _hinted(stage: Stage, action: Action, later: int) -> Action:
    """Begins its mean later or earlier than it should."""
    head, bounds = action
    pool = head >> 240 & 255
    if later == 0 or head & HINT or pool >= len(WINDOWS) or WINDOWS[pool] == 0:
        return action
    return head | stage.world.hint(pool, later), bounds


def _rude(deed: Deed) -> Action:
    """Noise, or an action of a known kind on a known pool with noise for the rest."""
    noise, bounds = divmod(deed.odd, UINT256)
    known = (deed.side % 4) << 248 | deed.pool << 240 | noise % 2 ** (240 - 27 * deed.side)
    return (noise if bounds % 8 == 0 else known), bounds


def _remove(stage: Stage, deed: Deed) -> Action | None:
    stage.reader.look_again()
    books = stage.reader.books()
    found = list(zip(books.ranges, books.liquidity, strict=True))
    if books.lp:
        found.append(((V2_USD_ETH, 0, 0), books.lp))
    if not found:
        return None
    (pool, *ticks), amount = found[deed.side % len(found)]
    return stage.world.remove(pool, (ticks[0], ticks[1]), int(amount * Fraction(deed.share)))


# ------------------------------------------------------------------ from within a callback


def _execute_inside(stage: Stage, plan: Round, actions: list[Action]) -> None:
    """A pool is half way through a call of the thief's own when it calls back. Reverted when the bundle did not run."""
    world, sequence = stage.world, stage.world.sequence()
    script = packed([Call("execute", world.vault, world.execute_data(actions))])
    world.set_keeper(stage.hand)
    try:
        world.act(stage.hand, *_opened(stage, plan, script))
        if world.sequence() == sequence:
            raise Reverted("refused inside a callback")
    finally:
        world.set_keeper(world.keeper)


def _opened(stage: Stage, plan: Round, script: bytes) -> tuple[str, bytes]:
    """A call that makes a pool call back, with a script to run then and what to pay beside."""
    world, first, me = stage.world, plan.deeds[0], stage.hand
    pool = first.pool % V2_USD_ETH
    if plan.inside == "pair":
        asked = word(2 * LITTLE << 128 | 2 * LITTLE) + script
        return world.pools[V2_USD_ETH], calldata("swap(uint256,uint256,address,bytes)", LITTLE, LITTLE, me, asked)
    if plan.inside == "flash":
        asked = word(LITTLE << 128 | LITTLE) + script
        return world.pools[pool], calldata("flash(address,uint256,uint256,bytes)", me, LITTLE, LITTLE, asked)
    asked = word(0) + script
    if plan.inside == "mint":
        ticks = stage.ticks(pool, 0.0, 3)
        return world.pools[pool], calldata("mint(address,int24,int24,uint128,bytes)", me, *ticks, 10**12, asked)
    down = bool(first.side % 2)
    limit = world.spot(pool) * (9_990 if down else 10_010) // 10_000
    return world.pools[pool], swap_data(me, down, limit, data=asked)
