"""Weak twins: the vault's own sources with named guards taken out, to show that each guard is what saves the money."""

import shutil
import tempfile
from functools import cache, partial
from pathlib import Path

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from scripts.build_contracts import CONTRACTS
from tests.contracts.campaign.founding import found, open_positions
from tests.contracts.campaign.world import DAY_S, World, deploy_vault

COUNTS = "tally.turnover += convert(-fill[side], uint256) * tally.prices[token] // PRICE_ONE"
NEAR = "return price <= unsafe_mul(most, ONE) and unsafe_mul(unsafe_div(price, ONE), most) >= ONE * ONE"
FAR = "if convert(abs(mean - convert(slot0.tick, int256)), uint256) > deviation_bps:"
GUARDS = {  # name: (file, the words of the source, what stands there instead), ...
    "bundle loss": (("modules/budget.vy", "if lost > limits.bundle_loss_bps * BPS:", "if False:"),),
    "day loss": (("modules/budget.vy", "before.loss_used + lost", "before.loss_used"),),
    "turnover": (
        ("modules/budget.vy", "before.turnover_used + self._part(turnover, nav_before)", "before.turnover_used"),
    ),
    "turnover of adds": (("Vault.vy", COUNTS, "pass"),),
    "spot": (("modules/oracle.vy", NEAR, "return True"),),
    "mean": (("modules/oracle.vy", FAR, "if False:"),),
    "fair value": (
        (
            "modules/venues.vy",
            "portfolio._range(position, fair, amount)",
            "portfolio._range(position, (pools._slot0(pool)).sqrt_price_x96, amount)",
        ),
        ("modules/venues.vy", "portfolio._pair(pool, fair, minted)", "portfolio._pair(pool, 0, minted)"),
    ),
}
SLOWLY = ("Vault.vy", "# pragma optimize codesize", "# pragma optimize none")  # compiled in a third of the time
LOSS = frozenset({"bundle loss", "day loss"})
NEARNESS = frozenset({"spot", "mean"})
EVERY = LOSS | NEARNESS | {"turnover"}


def attacked(*without: str) -> World:
    """A world with positions open for a day in a vault without these guards; with none taken out it is the real one."""
    world = found(partial(deploy_vault, code=twin_code(frozenset(without)) if without else None))
    open_positions(world)
    world.chain.warp(DAY_S)  # opening them was turnover
    world.refresh()
    world.align()
    return world


@cache
def twin_code(without: frozenset[str]) -> bytes:
    """Creation code without these guards. ValueError when a guard does not stand in the source as it is named here."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "contracts"
        shutil.copytree(CONTRACTS, sources)
        _exchange(sources, *SLOWLY)
        for name in sorted(without):
            for words in GUARDS[name]:
                _exchange(sources, *words)
        bundle = FilesystemInputBundle([sources])
        output = compile_from_file_input(bundle.load_file("Vault.vy"), bundle, output_formats=("bytecode",))
    return bytes.fromhex(str(output["bytecode"]).removeprefix("0x"))


def _exchange(sources: Path, file: str, words: str, instead: str) -> None:
    text = (sources / file).read_text()
    if text.count(words) != 1:
        raise ValueError(f"expected once in {file}: {words}; found {text.count(words)} times")
    (sources / file).write_text(text.replace(words, instead))
