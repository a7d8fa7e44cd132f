"""Small mistakes put into a copy of the vault's sources: what a campaign must find to be worth its time."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from scripts.build_contracts import CONTRACTS

BUGS = {  # name: (file, the words of the source, what stands there instead)
    "mint rounds down": (
        "Vault.vy",
        "return maths._mul_div_up(book.placed[index] + idle, shares, supply)",
        "return maths._mul_div(book.placed[index] + idle, shares, supply)",
    ),
    "mint leaves out fees due": (
        "Vault.vy",
        "held: uint256 = balance + book.due[index]",
        "held: uint256 = balance",
    ),
    "redeem rounds idle up": (
        "Vault.vy",
        "maths._mul_div(idle, shares, supply) + taken[i]",
        "maths._mul_div_up(idle, shares, supply) + taken[i]",
    ),
    "redeem rounds liquidity up": (
        "modules/venues.vy",
        "maths._mul_div(liquidity, numerator, denominator)",
        "maths._mul_div_up(liquidity, numerator, denominator)",
    ),
    "redeem rounds LP tokens up": (
        "modules/venues.vy",
        "maths._mul_div(portfolio._balance_of(pair, self), numerator, denominator)",
        "maths._mul_div_up(portfolio._balance_of(pair, self), numerator, denominator)",
    ),
    "idle counts what is owed": (
        "modules/portfolio.vy",
        "min(held, registry._owes(index) + spoken_for)",
        "min(held, spoken_for)",
    ),
}


@cache
def code_with(bug: str) -> bytes:
    """Creation code of a vault with this mistake. ValueError when the words to change are not there once."""
    file, words, instead = BUGS[bug]
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "contracts"
        shutil.copytree(CONTRACTS, sources)
        text = (sources / file).read_text()
        if text.count(words) != 1:
            raise ValueError(f"bug {bug!r}: expected once in {file}: {words}; found {text.count(words)} times")
        (sources / file).write_text(text.replace(words, instead))
        bundle = FilesystemInputBundle([sources])
        output = compile_from_file_input(bundle.load_file("Vault.vy"), bundle, output_formats=("bytecode",))
    return bytes.fromhex(str(output["bytecode"]).removeprefix("0x"))
