# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title   Evenkeel vault: shares in kind, and a keeper held to its owner's limits
@license Apache-2.0
@notice  `mint` takes and `redeem` pays a pro-rata slice of every token, range and fee: no feed, no swap and no spot
         price touches what a share is worth. `execute` lets the keeper move value inside the vault only, on listed
         pools, and measures the result at the feeds' prices against limits whose ceilings stand in this code.
@dev     Rounding always favours the vault. Every external function but the two V3 callbacks holds one lock, views too.
         Listed tokens are taken to answer `balanceOf`, and not to change balances on their own.
@custom:kill The guardian or the owner calls `pause`: keeper and minting stop; `redeem` and `claim` need nobody.
"""

from interfaces import IToken
from modules import budget
from modules import bundle
from modules import maths
from modules import oracle
from modules import portfolio
from modules import refuse
from modules import registry
from modules import roles
from modules import share
from modules import venues

initializes: share
initializes: roles
initializes: budget[roles := roles]
initializes: registry[roles := roles]
initializes: oracle[registry := registry]
initializes: portfolio[registry := registry]
initializes: venues[registry := registry, portfolio := portfolio]
initializes: bundle[registry := registry, portfolio := portfolio, venues := venues, budget := budget]

exports: share.__interface__
exports: (
    roles.owner,
    roles.pending_owner,
    roles.keeper,
    roles.guardian,
    roles.delay_s,
    roles.ready_at,
    roles.transfer_ownership,
    roles.accept_ownership,
    roles.set_keeper,
    roles.set_guardian,
    roles.pause,
    roles.unpause,
    roles.revoke,
)
exports: (budget.limits, budget.set_limits)
exports: (
    registry.tokens,
    registry.token_info,
    registry.pools,
    registry.pool_info,
    registry.positions,
    registry.owed,
    registry.add_token,
    registry.add_pool,
    registry.set_feed,
    registry.set_corridor,
)
exports: (venues.uniswapV3SwapCallback, venues.uniswapV3MintCallback)


struct Action:
    head: uint256  # kind << 248 | pool index << 240 | lower tick << 216 | upper tick << 192 | amount << 64
    bounds: uint256  # remove: least0 << 128 | least1; swap: least out; add: most0 << 128 | most1


# ------------------------------------------------------------------ events

event Mint:
    sender: indexed(address)
    receiver: indexed(address)
    shares: uint256
    amounts: DynArray[uint256, registry.MAX_TOKENS]


event Redeem:
    sender: indexed(address)
    receiver: indexed(address)
    shares: uint256
    amounts: DynArray[uint256, registry.MAX_TOKENS]
    skip: uint256


event Claimed:
    token: indexed(address)
    owner: indexed(address)
    receiver: address
    amount: uint256


event Executed:
    sequence: indexed(uint256)
    nav_before: uint256
    nav_after: uint256
    turnover: uint256


# ------------------------------------------------------------------ constants

LOCKED_SHARES: constant(uint256) = 10**6  # of the first mint, for ever: no gift makes a share too dear to buy
MOST_SHARES: constant(uint256) = 2**128
MAX_ACTIONS: constant(uint256) = 16

REMOVE: constant(uint256) = 1
SWAP: constant(uint256) = 2
ADD: constant(uint256) = 3

ONE: constant(uint256) = 10**18
BPS: constant(uint256) = 10**14  # of ONE
PRICE_ONE: constant(uint256) = 10**36
MASK128: constant(uint256) = 2**128 - 1


@deploy
def __init__(
    name: String[32],
    symbol: String[32],
    owner: address,
    keeper: address,
    guardian: address,
    delay_s: uint256,
    tokens: DynArray[registry.TokenSetup, registry.MAX_TOKENS],
    pools: DynArray[registry.PoolSetup, registry.MAX_POOLS],
    limits: budget.Limits,
):
    share.__init__(name, symbol)
    roles.__init__(owner, keeper, guardian, delay_s)
    budget.__init__(limits)
    registry.__init__(tokens, pools)


# ------------------------------------------------------------------ holders: in kind, without a price

@external
def mint(
    shares: uint256,
    max_amounts: DynArray[uint256, registry.MAX_TOKENS],
    receiver: address,
    deadline: uint256,
) -> DynArray[uint256, registry.MAX_TOKENS]:
    """
    @notice Take a slice of everything held, rounded up, for new shares; the first mint takes `max_amounts` whole.
    @return The amounts taken, per token.
    """
    self._assert_call(shares, len(max_amounts), receiver, deadline)
    if roles._paused():
        refuse._with(refuse.VAULT_PAUSED)

    venues._unwind(0, 1, 0, receiver)
    amounts: DynArray[uint256, registry.MAX_TOKENS] = max_amounts
    supply: uint256 = share.totalSupply
    if supply + shares > MOST_SHARES:
        refuse._with(refuse.VAULT_TOO_MANY_SHARES)
    if supply <= LOCKED_SHARES:  # the first, or the first again after everybody left: what lies there is nobody's
        if shares <= LOCKED_SHARES:
            refuse._with(refuse.VAULT_FIRST_SHARES)
        share._mint(empty(address), LOCKED_SHARES - supply)
        share._mint(receiver, shares - (LOCKED_SHARES - supply))
    else:
        amounts = self._cost(shares, supply)
        for i: uint256 in range(len(amounts), bound=registry.MAX_TOKENS):
            if amounts[i] > max_amounts[i]:
                refuse._with(refuse.VAULT_ABOVE_MOST)
        share._mint(receiver, shares)
    log Mint(sender=msg.sender, receiver=receiver, shares=shares, amounts=amounts)

    for i: uint256 in range(len(amounts), bound=registry.MAX_TOKENS):
        if amounts[i] != 0:
            before: uint256 = portfolio._balance(i, self)
            token: IToken = IToken(registry.token_list[i])
            if not extcall token.transferFrom(msg.sender, self, amounts[i], default_return_value=True):
                refuse._with(refuse.VAULT_TRANSFER)
            if portfolio._balance(i, self) != before + amounts[i]:
                refuse._with(refuse.VAULT_FEE_ON_TRANSFER)
    return amounts


@external
def redeem(
    shares: uint256,
    min_amounts: DynArray[uint256, registry.MAX_TOKENS],
    receiver: address,
    deadline: uint256,
    skip: uint256 = 0,
) -> DynArray[uint256, registry.MAX_TOKENS]:
    """
    @notice Burn the caller's shares for a pro-rata slice of everything held, rounded down. Needs nobody and no price.
    @param  skip Bit i: token i cannot move now; that part is set aside for the receiver to `claim`. LP tokens of a pair
                 with such a token are handed over as they are.
    @return The amounts paid or set aside, per token.
    """
    self._assert_call(shares, len(min_amounts), receiver, deadline)

    supply: uint256 = share.totalSupply
    share._burn(msg.sender, shares)
    taken: uint256[registry.MAX_TOKENS] = empty(uint256[registry.MAX_TOKENS])
    kept: uint256[registry.MAX_TOKENS] = empty(uint256[registry.MAX_TOKENS])
    taken, kept = venues._unwind(shares, supply, skip, receiver)
    amounts: DynArray[uint256, registry.MAX_TOKENS] = []
    for i: uint256 in range(len(min_amounts), bound=registry.MAX_TOKENS):
        idle: uint256 = portfolio._idle(i, kept[i], taken[i])
        amount: uint256 = maths._mul_div(idle, shares, supply) + taken[i]
        if amount < min_amounts[i]:
            refuse._with(refuse.VAULT_BELOW_LEAST)
        amounts.append(amount)
    log Redeem(sender=msg.sender, receiver=receiver, shares=shares, amounts=amounts, skip=skip)

    for i: uint256 in range(len(amounts), bound=registry.MAX_TOKENS):
        if skip >> i & 1 != 0:
            registry.owed_total[i] += amounts[i]
            registry.owed[registry.token_list[i]][receiver] += amounts[i]
        else:
            venues._give(i, receiver, amounts[i])
    return amounts


@external
def claim(token: address, receiver: address) -> uint256:
    """
    @notice Pay out what redemptions set aside for the caller.
    @return The amount paid.
    """
    if receiver == empty(address):
        refuse._with(refuse.VAULT_RECEIVER)
    index: uint256 = registry._index_of(token)
    amount: uint256 = registry.owed[token][msg.sender]
    if amount == 0:
        refuse._with(refuse.VAULT_NOTHING_OWED)
    venues._unwind(0, 1, ~(1 << index), receiver)
    registry.owed[token][msg.sender] = 0
    registry.owed_total[index] -= amount
    log Claimed(token=token, owner=msg.sender, receiver=receiver, amount=amount)
    venues._give(index, receiver, amount)
    return amount


@internal
@view
def _assert_call(shares: uint256, amounts: uint256, receiver: address, deadline: uint256):
    if block.timestamp > deadline:
        refuse._with(refuse.VAULT_DEADLINE)
    if shares == 0:
        refuse._with(refuse.VAULT_NO_SHARES)
    if receiver == empty(address):
        refuse._with(refuse.VAULT_RECEIVER)
    if amounts != len(registry.token_list):
        refuse._with(refuse.VAULT_AMOUNTS)


@internal
@view
def _cost(shares: uint256, supply: uint256) -> DynArray[uint256, registry.MAX_TOKENS]:
    amounts: DynArray[uint256, registry.MAX_TOKENS] = portfolio._holdings(empty(uint256[registry.MAX_TOKENS]), 1, 1, 1)
    for i: uint256 in range(len(amounts), bound=registry.MAX_TOKENS):
        amounts[i] = maths._mul_div_up(amounts[i], shares, supply)
    return amounts


# ------------------------------------------------------------------ the keeper

@external
def execute(
    actions: DynArray[Action, MAX_ACTIONS],
    floors: DynArray[uint256, registry.MAX_TOKENS],
    sequence: uint256,
    deadline: uint256,
) -> DynArray[int256[2], MAX_ACTIONS]:
    """
    @notice Run a bundle: removes first, then swaps and adds, then every limit is checked.
    @return Per action what came in (+) or went out (-) of the pool's token0 and token1.
    """
    roles._only_keeper()
    if block.timestamp > deadline:
        refuse._with(refuse.VAULT_DEADLINE)
    bounds: budget.Limits = budget._limits()
    run: budget.Run = budget._run(bounds)
    if sequence != run.sequence:
        refuse._with(refuse.VAULT_SEQUENCE)
    if block.timestamp < run.last_bundle + bounds.cooldown_s:
        refuse._with(refuse.VAULT_COOLDOWN)
    if len(actions) == 0:
        refuse._with(refuse.VAULT_NO_ACTIONS)

    prices: uint256[registry.MAX_TOKENS] = oracle._prices()
    before: DynArray[uint256, registry.MAX_TOKENS] = []
    measured: bool = False
    touched: uint256 = 0
    turnover: uint256 = 0
    fills: DynArray[int256[2], MAX_ACTIONS] = []
    for action: Action in actions:
        index: uint256 = action.head >> 240 & 255
        pool: uint256 = registry._pool(index)
        position: uint256 = bundle._position(action.head, pool)
        amount: uint256 = action.head >> 64 & MASK128
        kind: uint256 = action.head >> 248
        touched |= 1 << index
        fill: int256[2] = empty(int256[2])
        if kind == REMOVE:
            if measured:
                refuse._with(refuse.VAULT_REMOVES_FIRST)
            got: uint256[2] = venues._remove(position, pool, amount)
            if got[0] < action.bounds >> 128 or got[1] < action.bounds & MASK128:
                refuse._with(refuse.VENUE_LEAST)
            fill = [convert(got[0], int256), convert(got[1], int256)]
        else:
            if not measured:
                measured = True
                before = bundle._values(prices)
            bundle._assert_near(pool, prices, bounds.deviation_bps, False)
            if kind == SWAP:
                side: uint256 = ~action.head >> 216 & 1  # the lower tick's place says 1 when token0 goes in
                fill = venues._swap(pool, side, amount)
                if fill[side ^ 1] < convert(action.bounds, int256):
                    refuse._with(refuse.VENUE_LEAST)
                turnover += maths._mul_div(amount, prices[registry._token(pool, side)], PRICE_ONE)
            else:
                if kind != ADD:
                    refuse._with(refuse.VAULT_KIND)
                fill = venues._add(position, pool, amount, [action.bounds >> 128, action.bounds & MASK128])
        fills.append(fill)
    if not measured:
        before = bundle._values(prices)

    nav_before: uint256 = 0
    nav_after: uint256 = 0
    nav_before, nav_after = bundle._settle(bounds, run, prices, before, touched, turnover)
    bundle._assert_floors(floors)
    log Executed(sequence=sequence, nav_before=nav_before, nav_after=nav_after, turnover=turnover)
    return fills


# ------------------------------------------------------------------ everybody

@external
@view
def holdings() -> DynArray[uint256, registry.MAX_TOKENS]:
    """@notice All that is held of each token: idle, principal at spot, and unclaimed fees."""
    return portfolio._holdings(empty(uint256[registry.MAX_TOKENS]), 0, 1, 1)


@external
@view
def preview_mint(shares: uint256) -> DynArray[uint256, registry.MAX_TOKENS]:
    """@notice What minting would take now; nothing can be said before the first mint."""
    return self._cost(shares, share.totalSupply)


@external
@view
def preview_redeem(shares: uint256) -> DynArray[uint256, registry.MAX_TOKENS]:
    """@notice What redeeming would pay now; LP tokens handed over as they are count as what they stand for."""
    return portfolio._holdings(empty(uint256[registry.MAX_TOKENS]), 0, shares, share.totalSupply)


@external
@view
def nav() -> uint256:
    """@notice What all holdings are worth in the quote (18 decimals), at the feeds' prices."""
    return bundle._sum(bundle._values(oracle._prices()))


@external
@view
def state() -> (uint256, uint256, uint256, uint256, bool, uint256):
    """@return sequence, time of the last bundle, loss and turnover used (1e18 = 100 %, leaked to now), paused, supply"""
    run: budget.Run = budget._run(budget._limits())
    return run.sequence, run.last_bundle, run.loss_used, run.turnover_used, roles._paused(), share.totalSupply
