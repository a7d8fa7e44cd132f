# pragma version 0.4.3
# pragma evm-version cancun
"""
@title   Zap: into the vault, or out of it, with one token
@license Apache-2.0
@notice  Swaps on the vault's own registered pools and mints or redeems in kind. Bound to one vault for ever. It has no
         owner, takes no call target from the caller and keeps nothing between calls.
@dev     The caller's funds are what the balances gained since the call began: tokens that somebody left here before
         can neither be traded nor help to meet a minimum, and go to the caller with the leftovers at the end.
         Assumes what the vault assumes of its tokens and pools. It never asks the vault to skip a token: what the
         vault would owe, it would owe to this contract. Holders of a frozen token redeem at the vault.
@custom:kill Stateless: stop using it, and deploy another.
"""

from ethereum.ercs import IERC20
from interfaces import IVault
from modules import layout
from modules import refuse

# ------------------------------------------------------------------ interfaces, structs, events

interface V2Pair:
    def getReserves() -> (uint112, uint112): view  # and a time that is not read
    def swap(amount0_out: uint256, amount1_out: uint256, to: address, data: Bytes[1]): nonpayable


interface V3Pool:
    def swap(recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[1]): nonpayable


struct Trade:
    pool: uint256  # its place among the vault's pools
    token0_in: bool
    amount: uint256  # max_value(uint256): all that the caller has of the token
    least: uint256  # of the other token


event Deposited:
    caller: indexed(address)
    receiver: indexed(address)
    token: indexed(address)
    amount: uint256
    shares: uint256


event Withdrawn:
    caller: indexed(address)
    receiver: indexed(address)
    token: indexed(address)
    amount: uint256
    shares: uint256


# ------------------------------------------------------------------ constants and storage

PIPS: constant(uint256) = 1_000_000
MIN_SQRT_RATIO: constant(uint160) = 4295128739  # Uniswap's TickMath
MAX_SQRT_RATIO: constant(uint160) = 1461446703485210103287273052203988822378723970342

VAULT: immutable(IVault)

opened_pool: transient(address)  # the only sender whose callback is honoured, once
opened_token: transient(address)
opened_amount: transient(uint256)


@deploy
def __init__(vault: address):
    VAULT = IVault(vault)


@external
@view
def vault() -> address:
    return VAULT.address


# ------------------------------------------------------------------ in and out

@external
@nonreentrant
def deposit(
    token: address,
    amount: uint256,
    trades: DynArray[Trade, 8],
    shares: uint256,
    receiver: address,
    deadline: uint256,
) -> DynArray[uint256, 8]:
    """
    @notice Pay `amount` of `token`, trade, and mint exactly `shares` to `receiver`. The caller gets back the rest.
    @dev    The minimum is `shares` itself, and the `least` of every trade.
    @return What the shares took of each of the vault's tokens.
    """
    self._check(receiver, deadline)
    words: uint256[layout.PLACES] = staticcall VAULT.settings()
    tokens: DynArray[address, 8] = self._tokens(words)
    assert token in tokens, "zap: not a token of the vault"
    dust: DynArray[uint256, 8] = self._balances(tokens)

    assert extcall IERC20(token).transferFrom(msg.sender, self, amount, default_return_value=True), "zap: transfer"
    self._trade(trades, words, tokens, dust)
    taken: DynArray[uint256, 8] = self._mint(tokens, dust, shares, receiver, deadline)
    self._empty(tokens, msg.sender)

    log Deposited(caller=msg.sender, receiver=receiver, token=token, amount=amount, shares=shares)
    return taken


@external
@nonreentrant
def withdraw(
    shares: uint256,
    token_out: address,
    trades: DynArray[Trade, 8],
    least_out: uint256,
    receiver: address,
    deadline: uint256,
) -> uint256:
    """
    @notice Take `shares` from the caller, redeem them, trade, and send everything to `receiver`.
    @return What the caller's shares brought of `token_out`; never less than `least_out`.
    """
    self._check(receiver, deadline)
    words: uint256[layout.PLACES] = staticcall VAULT.settings()
    tokens: DynArray[address, 8] = self._tokens(words)
    assert token_out in tokens, "zap: not a token of the vault"
    dust: DynArray[uint256, 8] = self._balances(tokens)

    assert extcall VAULT.transferFrom(msg.sender, self, shares), "zap: transfer"
    any_amounts: DynArray[uint256, 8] = []  # the minimum is on what the trades make of them
    for _: address in tokens:
        any_amounts.append(0)
    extcall VAULT.redeem(shares, any_amounts, self, deadline)
    self._trade(trades, words, tokens, dust)
    out: uint256 = self._held(token_out, tokens, dust)
    assert out >= least_out, "zap: least out"
    self._empty(tokens, receiver)
    self._hand_over(words, receiver)

    log Withdrawn(caller=msg.sender, receiver=receiver, token=token_out, amount=out, shares=shares)
    return out


# ------------------------------------------------------------------ trades

@internal
def _trade(
    trades: DynArray[Trade, 8],
    words: uint256[layout.PLACES],
    tokens: DynArray[address, 8],
    dust: DynArray[uint256, 8],
):
    for trade: Trade in trades:
        word: uint256 = self._pool(words, trade.pool)
        pool: address = layout._address(word)
        side: uint256 = convert(not trade.token0_in, uint256)
        token_in: address = tokens[layout._token(word, side)]
        token_out: address = tokens[layout._token(word, 1 - side)]
        amount: uint256 = self._held(token_in, tokens, dust)
        if trade.amount != max_value(uint256):
            assert trade.amount <= amount, "zap: more than there is"
            amount = trade.amount
        before: uint256 = self._held(token_out, tokens, dust)
        if amount > 0:
            if word >> layout.KIND & layout.BYTE == layout.V3:
                self._swap_v3(pool, trade.token0_in, token_in, amount)
            else:
                self._swap_v2(pool, layout._fee(word), trade.token0_in, token_in, amount)
        assert self._held(token_out, tokens, dust) - before >= trade.least, "zap: least of a trade"


@internal
def _swap_v3(pool: address, token0_in: bool, token_in: address, amount: uint256):
    self.opened_pool = pool
    self.opened_token = token_in
    self.opened_amount = amount
    limit: uint160 = MIN_SQRT_RATIO + 1 if token0_in else MAX_SQRT_RATIO - 1
    extcall V3Pool(pool).swap(self, token0_in, convert(amount, int256), limit, b"")
    assert self.opened_pool == empty(address), "zap: pool did not ask"  # its right to ask must not outlive the call


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """@notice Pay the pool being called, once, at most what was opened for it."""
    assert msg.sender == self.opened_pool, "zap: stranger's callback"
    self.opened_pool = empty(address)
    due: uint256 = convert(max(amount0, amount1), uint256)  # the other one is what comes in
    assert due <= self.opened_amount, "zap: more than opened"
    self._send(self.opened_token, msg.sender, due)


@internal
def _swap_v2(pool: address, fee: uint256, token0_in: bool, token_in: address, amount: uint256):
    self._send(token_in, pool, amount)
    reserve0: uint112 = 0
    reserve1: uint112 = 0
    reserve0, reserve1 = staticcall V2Pair(pool).getReserves()
    reserve_in: uint256 = convert(reserve0 if token0_in else reserve1, uint256)
    reserve_out: uint256 = convert(reserve1 if token0_in else reserve0, uint256)
    came: uint256 = staticcall IERC20(token_in).balanceOf(pool) - reserve_in  # less than sent where a token takes a fee
    after_fee: uint256 = came * (PIPS - fee)
    out: uint256 = after_fee * reserve_out // (reserve_in * PIPS + after_fee)  # UniswapV2Library.getAmountOut
    if token0_in:
        extcall V2Pair(pool).swap(0, out, self, b"")
    else:
        extcall V2Pair(pool).swap(out, 0, self, b"")


# ------------------------------------------------------------------ parts

@internal
@view
def _check(receiver: address, deadline: uint256):
    assert block.timestamp <= deadline, "zap: deadline"
    assert receiver != empty(address) and receiver != self, "zap: receiver"


@internal
def _mint(
    tokens: DynArray[address, 8],
    dust: DynArray[uint256, 8],
    shares: uint256,
    receiver: address,
    deadline: uint256,
) -> DynArray[uint256, 8]:
    """@dev The vault may take what the caller has and no more; no allowance outlives the call."""
    most: DynArray[uint256, 8] = []
    for token: address in tokens:
        held: uint256 = self._held(token, tokens, dust)
        most.append(held)
        if held > 0:
            assert extcall IERC20(token).approve(VAULT.address, held, default_return_value=True), "zap: approve"
    taken: DynArray[uint256, 8] = extcall VAULT.mint(shares, most, receiver, deadline)
    for token: address in tokens:
        if staticcall IERC20(token).allowance(self, VAULT.address) > 0:
            assert extcall IERC20(token).approve(VAULT.address, 0, default_return_value=True), "zap: approve"
    return taken


@internal
def _empty(tokens: DynArray[address, 8], receiver: address):
    """@dev Leftovers and dust alike: nothing stays behind."""
    for token: address in tokens:
        self._send(token, receiver, staticcall IERC20(token).balanceOf(self))


@internal
def _hand_over(words: uint256[layout.PLACES], receiver: address):
    """@dev A redemption hands LP tokens over as they are where they are too few for their pair to burn."""
    for i: uint256 in range(layout.MAX_POOLS):
        word: uint256 = words[layout.POOLS + i]
        if word >> layout.KIND & layout.BYTE == layout.V2:
            pair: address = layout._address(word)
            self._send(pair, receiver, staticcall IERC20(pair).balanceOf(self))


@internal
def _send(token: address, receiver: address, amount: uint256):
    if amount > 0:
        assert extcall IERC20(token).transfer(receiver, amount, default_return_value=True), "zap: transfer"


@internal
@pure
def _tokens(words: uint256[layout.PLACES]) -> DynArray[address, 8]:
    found: DynArray[address, 8] = []
    for i: uint256 in range(words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE, bound=8):
        found.append(layout._address(words[layout.TOKENS + i]))
    return found


@internal
@pure
def _pool(words: uint256[layout.PLACES], index: uint256) -> uint256:
    """@return The vault's word of a pool."""
    word: uint256 = 0
    if index < layout.MAX_POOLS:
        word = words[layout.POOLS + index]
    if word == 0:
        refuse._with(refuse.REGISTRY_NO_POOL)
    return word


@internal
@view
def _balances(tokens: DynArray[address, 8]) -> DynArray[uint256, 8]:
    found: DynArray[uint256, 8] = []
    for token: address in tokens:
        found.append(staticcall IERC20(token).balanceOf(self))
    return found


@internal
@view
def _held(token: address, tokens: DynArray[address, 8], dust: DynArray[uint256, 8]) -> uint256:
    """@return What the caller has here of a token: the balance less what lay here when the call began."""
    for i: uint256 in range(len(tokens), bound=8):
        if tokens[i] == token:
            return staticcall IERC20(token).balanceOf(self) - dust[i]
    raise "zap: not a token of the vault"
