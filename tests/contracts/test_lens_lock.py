"""The lens holds its tongue inside a call of the vault: half the truth would be a price for somebody to use."""

import boa
import pytest

from tests.contracts.market import CONTRACTS, Market, load, load_vault, token_setup
from tests.contracts.test_lens import LIMITS

VIEWS = ("state", "positions", "holdings", "preview_redeem", "exposure", "nav", "share_value")
HOOKED = """
# pragma version 0.4.3
from mocks import erc20
initializes: erc20
exports: (erc20.decimals, erc20.balanceOf, erc20.approve, erc20.mint)

target: address
data: Bytes[68]
asked: public(uint256)
answered: public(uint256)

@deploy
def __init__():
    erc20.__init__("Hooked", "HOOK", 18)

@external
def hook(target: address, data: Bytes[68]):
    self.target = target
    self.data = data

@external
def ask():
    self._ask()

@external
def transfer(to: address, amount: uint256) -> bool:
    self._ask()
    erc20._move(msg.sender, to, amount)
    return True

@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    erc20._move(owner, to, amount)
    return True

@internal
def _ask():
    self.asked += 1
    success: bool = raw_call(self.target, self.data, is_static_call=True, revert_on_failure=False)
    self.answered += convert(success, uint256)
"""


@pytest.mark.parametrize("view", VIEWS)
def test_view__asked_by_a_token_inside_a_call_of_the_vault__gets_no_answer(market: Market, view: str) -> None:
    """Else a token, or whoever it tells, reads a share that is half paid out."""
    lens = load("Lens.vy")
    boa.interpret.set_search_paths([str(CONTRACTS)])
    token, feed, owner = boa.loads(HOOKED), market.feeds["USDC"], market.owner
    vault, _ = load_vault(owner, owner, owner, 86_400, [token_setup(token, feed)], [], LIMITS)
    token.mint(owner, 10**18)
    vault.mint(10**18, [10**18], owner, market.deadline(), sender=owner)
    more = (10**17,) if view == "preview_redeem" else ()
    token.hook(lens.address, getattr(lens, view).prepare_calldata(vault.address, *more))
    token.ask()
    assert (token.asked(), token.answered()) == (1, 1)
    vault.redeem(10**17, [0], owner, market.deadline(), sender=owner)
    assert (token.asked(), token.answered()) == (2, 1)
    token.ask()
    assert token.answered() == 2


def test_views__of_the_lens__are_all_tested_against_the_lock_but_the_hint() -> None:
    found = {entry["name"] for entry in load("Lens.vy").abi if entry["type"] == "function"}
    assert found == {*VIEWS, "hint"}
