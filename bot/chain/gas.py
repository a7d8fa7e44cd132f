"""What gas costs now: the next block's base fee, and the tip that recent blocks were content with."""

from statistics import median

from bot.core.errors import ChainError
from bot.core.ports import Rpc
from bot.core.types import GasPrice
from bot.core.units import Wei

BLOCKS = 20  # four minutes of mainnet
LEAST_TIP = Wei(100_000_000)  # 0.1 gwei: below it, builders may leave a transaction out


async def gas_price(
    rpc: Rpc, percentile: float = 50.0, least_tip: Wei = LEAST_TIP, blocks: int = BLOCKS, newest: str = "latest"
) -> GasPrice:
    """Base fee of the block after `newest` (hex number or tag), exact; tip: see `tip`. One request.

    ChainError when the node gives no fee history.
    """
    found = await rpc.call("eth_feeHistory", hex(blocks), newest, [percentile])
    fees = [int(fee, 16) for fee in found.get("baseFeePerGas") or ()]
    if len(fees) < 2 or not fees[-1]:
        raise ChainError(
            f"expected the base fees of {blocks} blocks and of the next one from eth_feeHistory, found {len(fees)}; "
            "the chain must have EIP-1559 fees, and the node must keep recent blocks"
        )
    rewards = [int(rewards[0], 16) for rewards in found.get("reward") or ()]
    return GasPrice(Wei(fees[-1]), tip(rewards, found["gasUsedRatio"], least_tip))


def tip(rewards: list[int], used: list[float], least: Wei) -> Wei:
    """Median, over the blocks that carried anything (`used` > 0), of one percentile's tip; at least `least`.

    A median, because one block of a bidding war must not set our price.
    """
    paid = [reward for reward, share in zip(rewards, used, strict=False) if share > 0]
    return Wei(max(int(median(paid)) if paid else 0, least))
