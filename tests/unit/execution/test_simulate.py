"""A simulation asks the pending block as the keeper, and reports what it would do."""

from bot.chain.mainnet import MAINNET
from bot.core.types import Outcome
from bot.core.units import Gas, Wei
from bot.execution.simulate import simulate
from tests.factories import VAULT, snapshot
from tests.unit.execution.bundles import KEEPER
from tests.unit.execution.node import SWAP_FILL, Node, swap_plan

PRICE = Wei(1_100_000_000)  # base fee and tip of the snapshot


async def test_simulate__passes__tells_fills_gas_and_its_price() -> None:
    node = Node()
    done = await simulate(node, MAINNET.multicall3, KEEPER, VAULT, swap_plan(), snapshot())
    assert done == Outcome(True, None, snapshot().block.number, (SWAP_FILL,), Gas(100_001), PRICE)
    call, block = node.replays[0]
    assert (call["from"], call["to"], block) == (KEEPER, VAULT, "pending")
    assert node.raws == []


async def test_simulate__reverts__carries_the_reason() -> None:
    node = Node()
    node.reverts = "vault: loss"
    done = await simulate(node, MAINNET.multicall3, KEEPER, VAULT, swap_plan(), snapshot())
    assert done == Outcome(False, None, snapshot().block.number, (), Gas(0), PRICE, "vault: loss")
