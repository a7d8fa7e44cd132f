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
from modules import fee
from modules import layout
from modules import maths
from modules import oracle
from modules import portfolio
from modules import refuse
from modules import registry
from modules import share
from modules import venues

initializes: share
initializes: registry
initializes: budget[registry := registry]
initializes: fee[registry := registry, share := share]
initializes: oracle
initializes: portfolio[registry := registry]
initializes: venues[registry := registry, portfolio := portfolio]
initializes: bundle[
    registry := registry,
    portfolio := portfolio,
    venues := venues,
    budget := budget,
    share := share,
    fee := fee,
    oracle := oracle,
]

exports: share.__interface__
exports: (registry.charter, registry.setting, registry.settings, registry.owed, registry.owed_total)
exports: fee.fee_due
exports: oracle.sequencer
exports: (venues.uniswapV3SwapCallback, venues.uniswapV3MintCallback)


struct Action:
    head: uint256  # kind << 248 | pool index << 240 | lower tick << 216 | upper tick << 192 | amount << 64 | hint
    bounds: uint256  # remove: least0 << 128 | least1; swap: least out; add: most0 << 128 | most1


# ------------------------------------------------------------------ events

event SetAside:
    index: indexed(uint256)  # of the token
    owner: indexed(address)
    amount: uint256


event Claimed:
    index: indexed(uint256)  # of the token
    owner: indexed(address)
    receiver: address
    amount: uint256


event Executed:
    sequence: indexed(uint256)
    nav_before: uint256
    nav_after: uint256
    turnover: uint256


# ------------------------------------------------------------------ constants

MAX_ACTIONS: constant(uint256) = 16

REMOVE: constant(uint256) = 1
SWAP: constant(uint256) = 2
ADD: constant(uint256) = 3

PRICE_ONE: constant(uint256) = 10**36
MASK128: constant(uint256) = 2**128 - 1


@deploy
def __init__(name: String[32], symbol: String[32], charter: address, sequencer: address):
    share.__init__(name, symbol)
    registry.__init__(charter)
    oracle.__init__(sequencer)


# ------------------------------------------------------------------ the charter

@external
def write(place: uint256, word: uint256):
    """@notice Keep a word of the charter's, which has checked it."""
    if place == layout.FEE:
        fee._accrue()
        fee._count(block.timestamp * convert(word >> 160 != 0, uint256))
    registry._write(place, word)


# ------------------------------------------------------------------ holders: in kind, without a price

@external
def mint(
    shares: uint256,
    max_amounts: DynArray[uint256, layout.MAX_TOKENS],
    receiver: address,
    deadline: uint256,
) -> DynArray[uint256, layout.MAX_TOKENS]:
    """
    @notice Take a slice of everything held, rounded up, for new shares; the first mint takes `max_amounts` whole.
    @return The amounts taken, per token.
    """
    self._assert_call(shares, len(max_amounts), receiver, deadline)
    registry._assert_not_paused()
    supply: uint256 = fee._accrue()
    if shares > share.MOST - supply:
        refuse._with(refuse.VAULT_TOO_MANY_SHARES)
    first: bool = supply == share.LOCKED  # or first again after everybody left: what lies there is nobody's
    if first and shares <= share.LOCKED:
        refuse._with(refuse.VAULT_FIRST_SHARES)
    share._mint(receiver, shares)
    book: portfolio.Book = empty(portfolio.Book)
    if first:
        registry.words[layout.RECORD] = 0  # of a share that may have stood for other amounts
    else:
        book = portfolio._book(empty(uint256[layout.MAX_TOKENS]), True)
    amounts: DynArray[uint256, layout.MAX_TOKENS] = []
    for i: uint256 in range(len(max_amounts), bound=layout.MAX_TOKENS):
        token: IToken = IToken(registry._token_address(i))
        before: uint256 = portfolio._balance_of(token.address, self)
        amount: uint256 = max_amounts[i]
        if not first:
            amount = self._cost(i, before, book, shares, supply)
            if amount > max_amounts[i]:
                refuse._with(refuse.VAULT_ABOVE_MOST)
        amounts.append(amount)
        if amount != 0:
            if not extcall token.transferFrom(
                msg.sender, self, amount, default_return_value=True, skip_contract_check=True
            ):
                refuse._with(refuse.VAULT_TRANSFER)
            if portfolio._balance_of(token.address, self) != before + amount:
                refuse._with(refuse.VAULT_FEE_ON_TRANSFER)
    return amounts


@external
def redeem(
    shares: uint256,
    min_amounts: DynArray[uint256, layout.MAX_TOKENS],
    receiver: address,
    deadline: uint256,
    skip: uint256 = 0,
) -> DynArray[uint256, layout.MAX_TOKENS]:
    """
    @notice Burn the caller's shares for a pro-rata slice of everything held, rounded down. Needs nobody and no price.
    @param  skip Bit i: token i cannot move now; that part is set aside for the receiver to `claim`. LP tokens of a pair
                 with such a token are handed over as they are.
    @return The amounts paid or set aside, per token.
    """
    self._assert_call(shares, len(min_amounts), receiver, deadline)

    supply: uint256 = fee._accrue()
    share._burn(msg.sender, shares)
    taken: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    kept: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    taken, kept = venues._unwind(shares, supply, skip, receiver)
    amounts: DynArray[uint256, layout.MAX_TOKENS] = []
    for i: uint256 in range(len(min_amounts), bound=layout.MAX_TOKENS):
        idle: uint256 = portfolio._idle(i, kept[i], taken[i])
        amount: uint256 = maths._mul_div(idle, shares, supply) + taken[i]
        if amount < min_amounts[i]:
            refuse._with(refuse.VAULT_BELOW_LEAST)
        amounts.append(amount)

    for i: uint256 in range(len(amounts), bound=layout.MAX_TOKENS):
        if skip >> i & 1 != 0:
            registry._set_owed(i, receiver, registry.owed[i][receiver] + amounts[i], registry.owed_total[i] + amounts[i])
            log SetAside(index=i, owner=receiver, amount=amounts[i])
        else:
            venues._give(i, receiver, amounts[i])
    return amounts


@external
def claim(index: uint256, receiver: address) -> uint256:
    """
    @notice Pay out what redemptions set aside for the caller of a token; a part where less is left of it than is owed.
    @return The amount paid.
    """
    if receiver == empty(address):
        refuse._with(refuse.VAULT_RECEIVER)
    amount: uint256 = registry.owed[index][msg.sender]
    if amount == 0:
        refuse._with(refuse.VAULT_NOTHING_OWED)
    venues._unwind(0, 1, ~(1 << index), receiver)
    total: uint256 = registry.owed_total[index]
    registry._set_owed(index, msg.sender, 0, total - amount)
    balance: uint256 = portfolio._balance(index, self)
    if balance < total:  # the token has shrunk
        amount = maths._mul_div(amount, balance, total)
    log Claimed(index=index, owner=msg.sender, receiver=receiver, amount=amount)
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
    if amounts != registry.words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE:
        refuse._with(refuse.VAULT_AMOUNTS)


@internal
@view
def _cost(index: uint256, balance: uint256, book: portfolio.Book, shares: uint256, supply: uint256) -> uint256:
    """@notice A slice of all that is held of a token, rounded up"""
    held: uint256 = balance + book.due[index]
    idle: uint256 = unsafe_sub(held, min(held, registry._owes(index)))
    return maths._mul_div_up(book.placed[index] + idle, shares, supply)


# ------------------------------------------------------------------ the keeper

@external
def execute(
    actions: DynArray[Action, MAX_ACTIONS],
    floors: DynArray[uint256, layout.MAX_TOKENS],
    sequence: uint256,
    deadline: uint256,
) -> DynArray[int256[2], MAX_ACTIONS]:
    """
    @notice Run a bundle: removes first, then swaps and adds, then every limit is checked.
    @return Per action what came in (+) or went out (-) of the pool's token0 and token1.
    """
    rules: uint256 = registry.words[layout.RULES]
    registry._assert_not_paused()
    if msg.sender != layout._keeper(rules):
        refuse._with(refuse.ROLES_KEEPER)
    if block.timestamp > deadline:
        refuse._with(refuse.VAULT_DEADLINE)
    bounds: layout.Limits = layout._limits(rules)
    run: budget.Run = budget._run(registry.words[layout.HELD], bounds)
    if sequence != run.sequence:
        refuse._with(refuse.VAULT_SEQUENCE)
    if block.timestamp < run.last_bundle + bounds.cooldown_s:
        refuse._with(refuse.VAULT_COOLDOWN)
    if len(actions) == 0:
        refuse._with(refuse.VAULT_NO_ACTIONS)

    fair: uint256[layout.MAX_POOLS] = empty(uint256[layout.MAX_POOLS])
    fills: DynArray[int256[2], MAX_ACTIONS] = []
    tokens: uint256 = 0
    removes: uint256 = 0
    for action: Action in actions:
        pool: uint256 = registry._pool(action.head >> 240 & 255)
        tokens |= 1 << (pool >> layout.TOKEN0 & layout.BYTE) | 1 << (pool >> layout.TOKEN1 & layout.BYTE)
        if action.head >> 248 == REMOVE:
            removes = unsafe_add(removes, 1)
    tally: bundle.Tally = bundle._open(tokens)
    for i: uint256 in range(MAX_ACTIONS + 1):
        if i == removes:
            tally = bundle._measure(tally)
        if i == len(actions):
            break
        action: Action = actions[i]
        index: uint256 = action.head >> 240 & 255
        pool: uint256 = registry._pool(index)
        position: uint256 = bundle._position(action.head, pool)
        amount: uint256 = action.head >> 64 & MASK128
        kind: uint256 = action.head >> 248
        if fair[index] == 0:
            fair[index] = oracle._fair(pool, tally.prices)
            oracle._assert_near(pool, fair[index], bounds.deviation_bps, True, action.head & 65_535)
        fill: int256[2] = empty(int256[2])
        if i < removes:
            if kind != REMOVE:
                refuse._with(refuse.VAULT_REMOVES_FIRST)
            fill = venues._remove(position, pool, amount, action.bounds)
        else:
            if kind == SWAP:
                side: uint256 = ~action.head >> 216 & 1  # the lower tick's place says 1 when token0 goes in
                fill = venues._swap(pool, side, amount, action.bounds)
                oracle._assert_near(pool, fair[index], bounds.deviation_bps, False, 0)
                tally.turnover += amount * tally.prices[layout._token(pool, side)] // PRICE_ONE
            else:
                if kind != ADD:
                    refuse._with(refuse.VAULT_KIND)
                stake: uint256[2] = empty(uint256[2])
                fill, stake = venues._add(position, pool, amount, action.bounds, fair[index])
                for side: uint256 in range(2):
                    token: uint256 = layout._token(pool, side)
                    tally.added[token] += stake[side]
                    tally.turnover += convert(-fill[side], uint256) * tally.prices[token] // PRICE_ONE
        fills.append(fill)

    nav_before: uint256 = 0
    nav_after: uint256 = 0
    nav_before, nav_after = bundle._settle(bounds, run, tally, floors)
    log Executed(sequence=sequence, nav_before=nav_before, nav_after=nav_after, turnover=tally.turnover)
    return fills


# ------------------------------------------------------------------ everybody

@external
@view
def preview_mint(shares: uint256) -> DynArray[uint256, layout.MAX_TOKENS]:
    """@notice What minting would take now; nothing can be said before the first mint."""
    supply: uint256 = share._supply() + fee._due()
    book: portfolio.Book = portfolio._book(empty(uint256[layout.MAX_TOKENS]), True)
    amounts: DynArray[uint256, layout.MAX_TOKENS] = []
    for i: uint256 in range(registry.words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE, bound=layout.MAX_TOKENS):
        amounts.append(self._cost(i, portfolio._balance(i, self), book, shares, supply))
    return amounts
