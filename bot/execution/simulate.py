"""Run a bundle on the pending block without sending it."""

from bot.core.errors import Reverted
from bot.core.ports import Rpc
from bot.core.types import Outcome, Plan, Snapshot
from bot.core.units import Gas, Wei
from bot.execution.hints import hints
from bot.venues.vault import decode_fills, encode_execute


async def simulate(rpc: Rpc, multicall3: str, keeper: str, vault: str, plan: Plan, at: Snapshot) -> Outcome:
    """What the plan would do now, called as the keeper; `ok` False with the vault's reason when it would revert.

    Gas is the node's estimate, its price the snapshot's base fee and tip. DataError when a pool remembers too little.
    """
    data = encode_execute(plan, at, await hints(rpc, multicall3, plan, at))
    call = {"from": keeper, "to": vault, "data": "0x" + data.hex()}
    price = Wei(at.gas.base_fee + at.gas.tip)
    try:
        returned = await rpc.call("eth_call", call, "pending")
        gas = Gas(int(await rpc.call("eth_estimateGas", call, "pending"), 16))
    except Reverted as reverted:
        return Outcome(False, None, at.block.number, (), Gas(0), price, reverted.reason)
    fills = decode_fills(plan, at, bytes.fromhex(returned[2:]))
    return Outcome(True, None, at.block.number, fills, gas, price)
