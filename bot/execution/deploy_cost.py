"""What a deployment will cost, before anything is signed."""

from bot.chain.abi import encode, load
from bot.core.ports import Rpc
from bot.core.units import Gas
from bot.execution.calls import NOBODY
from bot.execution.treasury import VaultSetup

# The charter cannot be estimated before its vault is there: gas of an empty one, and of each entry of its lists.
CHARTER, TOKEN, POOL = Gas(1_790_000), Gas(85_000), Gas(58_000)


async def deploy_gas(rpc: Rpc, owner: str, setup: VaultSetup) -> Gas:
    """Gas of a vault, its charter, a zap and a lens, to within a few per cent. Reverted when one would revert."""
    codes = (
        load("Vault").bytecode + setup.encoded_vault(NOBODY),
        load("Zap").bytecode + encode(("address",), NOBODY),
        load("Lens").bytecode,
    )
    found = [await rpc.call("eth_estimateGas", {"from": owner, "data": "0x" + code.hex()}) for code in codes]
    charter = CHARTER + TOKEN * len(setup.feeds) + POOL * len(setup.pools)
    return Gas(sum(int(gas, 16) for gas in found) + charter)
