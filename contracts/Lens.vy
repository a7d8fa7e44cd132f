# pragma version 0.4.3
# pragma evm-version cancun
"""
@title   Lens: what a vault holds, what it is worth, and where it stands
@license Apache-2.0
@notice  Views for people and for the bot, over any vault. Nothing on chain depends on it. It counts as the vault does.
         `nav` and `share_value` revert with the vault's own reasons when a price is in doubt; no other view asks a
         price to be good.
@dev     Every view of a vault begins with the vault's words, which are locked: inside a call of the vault it reverts
         instead of answering with half the truth. Lists of amounts follow the order of the vault's tokens.
@custom:kill Stateless: stop using it, and deploy another.
"""

from interfaces import IFeed
from interfaces import IPair
from interfaces import IPool
from interfaces import IToken
from interfaces import IVault
from modules import budget
from modules import layout
from modules import maths
from modules import oracle
from modules import pools
from modules import portfolio
from modules import refuse
from modules import registry
from modules import share


interface FeePair:  # the part of a Uniswap V2 pair that is about Uniswap's own fee
    def factory() -> address: view
    def kLast() -> uint256: view


interface PairFactory:
    def feeTo() -> address: view


struct State:
    sequence: uint256  # the one that the next bundle must name
    last_bundle: uint256  # when
    loss_used: uint256  # of the bucket, leaked to now; 1e8 = 100 % of NAV
    turnover_used: uint256  # likewise
    paused: bool
    supply: uint256  # of shares, the fee due included


struct Exposure:
    token: address
    idle: uint256  # unclaimed fees of its positions included, what is owed left out
    placed: uint256  # principal of its positions
    price: uint256  # money for one whole token; 0 where the feed's answer is not above 0
    updated_at: uint256
    idle_value: uint256  # money
    placed_value: uint256  # money


struct Book:  # of what a vault holds, by token
    idle: uint256[layout.MAX_TOKENS]  # balances and unclaimed fees, less what is owed
    placed: uint256[layout.MAX_TOKENS]  # principal of positions


ONE: constant(uint256) = 10**18  # of money, and of a share
PRICE_ONE: constant(uint256) = 10**36
Q96: constant(uint256) = 2**96
MOST_SEARCH: constant(uint256) = 16  # halvings of a ring of 65,535


# ------------------------------------------------------------------ where it stands

@external
@view
def state(vault: address) -> State:
    """@notice Where the bundles stand, with the buckets leaked to now, and the supply of shares."""
    words: uint256[layout.PLACES] = self._words(vault)
    limits: layout.Limits = layout._limits(words[layout.RULES])
    run: budget.Run = budget._run(words[layout.HELD], limits)
    return State(
        sequence=run.sequence,
        last_bundle=run.last_bundle,
        loss_used=run.loss_used,
        turnover_used=run.turnover_used,
        paused=words[layout.HELD] & layout.PAUSED != 0,
        supply=self._supply(vault),
    )


@external
@view
def positions(vault: address) -> DynArray[uint256, layout.MAX_POSITIONS]:
    """@return pool's place << 48 | lower tick << 24 | upper tick, ticks as int24; LP tokens have ticks 0."""
    words: uint256[layout.PLACES] = self._words(vault)
    found: DynArray[uint256, layout.MAX_POSITIONS] = []
    for i: uint256 in range(self._position_count(words), bound=layout.MAX_POSITIONS):
        found.append(self._position(words, i))
    return found


# ------------------------------------------------------------------ what it holds

@external
@view
def holdings(vault: address) -> DynArray[uint256, layout.MAX_TOKENS]:
    """@notice All that is held of each token, as the pools stand, fees included and what is owed left out."""
    words: uint256[layout.PLACES] = self._words(vault)
    book: Book = self._at_spot(vault, words)
    amounts: DynArray[uint256, layout.MAX_TOKENS] = []
    for i: uint256 in range(self._token_count(words), bound=layout.MAX_TOKENS):
        amounts.append(book.idle[i] + book.placed[i])
    return amounts


@external
@view
def preview_redeem(vault: address, shares: uint256) -> DynArray[uint256, layout.MAX_TOKENS]:
    """
    @notice What redeeming `shares` now would pay of each token, to the unit.
    @dev    LP tokens too few for their pair to burn are handed over as they are: here they count as what they stand
            for.
    """
    words: uint256[layout.PLACES] = self._words(vault)
    supply: uint256 = self._supply(vault)
    book: Book = self._book(vault, words, empty(uint256[layout.MAX_TOKENS]), shares, supply)
    amounts: DynArray[uint256, layout.MAX_TOKENS] = []
    for i: uint256 in range(self._token_count(words), bound=layout.MAX_TOKENS):
        amounts.append(maths._mul_div(book.idle[i], shares, supply) + book.placed[i])
    return amounts


@external
@view
def exposure(vault: address) -> DynArray[Exposure, layout.MAX_TOKENS]:
    """
    @notice What is held of each token, idle and in positions, as the pools stand, valued at the last answers of the
            feeds however old they are: look at `updated_at`.
    """
    words: uint256[layout.PLACES] = self._words(vault)
    book: Book = self._at_spot(vault, words)
    found: DynArray[Exposure, layout.MAX_TOKENS] = []
    for i: uint256 in range(self._token_count(words), bound=layout.MAX_TOKENS):
        token: address = layout._address(words[layout.TOKENS + i])
        feed: IFeed = IFeed(layout._address(words[layout.FEEDS + i]))
        last: IFeed.Round = staticcall feed.latestRoundData()
        price: uint256 = convert(max(last.answer, 0), uint256) * ONE // 10 ** staticcall feed.decimals()
        unit: uint256 = 10 ** staticcall IToken(token).decimals()
        found.append(
            Exposure(
                token=token,
                idle=book.idle[i],
                placed=book.placed[i],
                price=price,
                updated_at=last.updated_at,
                idle_value=book.idle[i] * price // unit,
                placed_value=book.placed[i] * price // unit,
            )
        )
    return found


# ------------------------------------------------------------------ what it is worth

@external
@view
def nav(vault: address) -> uint256:
    """
    @notice The vault's value in money at the feeds' prices, unclaimed fees included. Ranges and pairs count as what
            they would be at the price that the feeds imply, so that nobody moves it by trading.
    """
    return self._nav(vault, self._words(vault))


@external
@view
def share_value(vault: address) -> uint256:
    """@notice One whole share in money, rounded down, the fee due counted; 0 while nobody holds any."""
    words: uint256[layout.PLACES] = self._words(vault)
    supply: uint256 = self._supply(vault)
    if supply == share.LOCKED:
        return 0
    return self._nav(vault, words) * ONE // supply


@internal
@view
def _nav(vault: address, words: uint256[layout.PLACES]) -> uint256:
    self._assert_sequencer(vault)
    prices: uint256[layout.MAX_TOKENS] = empty(uint256[layout.MAX_TOKENS])
    for i: uint256 in range(self._token_count(words), bound=layout.MAX_TOKENS):
        prices[i] = oracle._price(words[layout.TOKENS + i], words[layout.FEEDS + i])
    book: Book = self._book(vault, words, prices, 0, 0)
    money: uint256 = 0
    for i: uint256 in range(layout.MAX_TOKENS):
        money += (book.idle[i] + book.placed[i]) * prices[i] // PRICE_ONE
    return money


@internal
@view
def _assert_sequencer(vault: address):
    """@dev As the vault's oracle, whose own is bound to one sequencer."""
    sequencer: address = staticcall IVault(vault).sequencer()
    if sequencer != empty(address):
        found: IFeed.Round = staticcall IFeed(sequencer).latestRoundData()
        if found.answer != 0 or found.started_at == 0 or block.timestamp < found.started_at + oracle.GRACE_S:
            refuse._with(refuse.ORACLE_SEQUENCER)


# ------------------------------------------------------------------ what a bundle must say

@external
@view
def hint(pool: address, window: uint256, margin: uint256) -> uint256:
    """
    @notice What a bundle names on a V3 pool with a window: an observation's place + 1; 0: it remembers too little.
    @param  margin For so many seconds from now the vault goes on taking it: the newest that is at least window + margin
            old, or where that one would soon be two windows old, the newest that is at least a window old.
    @dev    The next trades write over the oldest observation: a pool that remembers little more than the window may
            forget this one before the margin is over.
    """
    word: uint256 = convert(pool, uint256)
    slot0: IPool.Slot0 = pools._slot0(word)
    place: uint256 = self._newest(word, slot0, block.timestamp - window - margin)
    if place == 0 or (pools._observation(word, place - 1)).at + 2 * window < block.timestamp + margin:
        place = self._newest(word, slot0, block.timestamp - window)
    return place


@internal
@view
def _newest(pool: uint256, slot0: IPool.Slot0, latest: uint256) -> uint256:
    """@notice The place + 1 of the newest observation written by then; 0: there is none"""
    oldest: uint256 = (slot0.newest + 1) % slot0.cardinality
    count: uint256 = slot0.cardinality
    if not (pools._observation(pool, oldest)).written:
        oldest = 0
        count = slot0.newest + 1
    low: uint256 = 0  # of the observations in the order of time, the first `low` are old enough
    high: uint256 = count  # and from `high` on none is
    for _: uint256 in range(MOST_SEARCH + 1):
        if low == high:
            break
        middle: uint256 = (low + high) // 2
        if (pools._observation(pool, (oldest + middle) % slot0.cardinality)).at <= latest:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return 0
    return (oldest + low - 1) % slot0.cardinality + 1


# ------------------------------------------------------------------ words

@internal
@view
def _words(vault: address) -> uint256[layout.PLACES]:
    """@dev Locked: reverts inside a call of the vault."""
    return staticcall IVault(vault).settings()


@internal
@view
def _supply(vault: address) -> uint256:
    """@notice All shares, with those that the fee's receiver is due"""
    return staticcall IVault(vault).totalSupply() + staticcall IVault(vault).fee_due()


@internal
@pure
def _token_count(words: uint256[layout.PLACES]) -> uint256:
    return words[layout.HELD] >> layout.TOKEN_COUNT & layout.BYTE


@internal
@pure
def _position_count(words: uint256[layout.PLACES]) -> uint256:
    return words[layout.HELD] >> layout.POSITION_COUNT & layout.BYTE


@internal
@pure
def _position(words: uint256[layout.PLACES], index: uint256) -> uint256:
    place: uint256 = index + registry.FIRST
    return words[layout.HELD + place // 4] >> registry.POSITION_BITS * (place % 4) & registry.POSITION


# ------------------------------------------------------------------ books

@internal
@view
def _at_spot(vault: address, words: uint256[layout.PLACES]) -> Book:
    return self._book(vault, words, empty(uint256[layout.MAX_TOKENS]), 0, 0)


@internal
@view
def _book(
    vault: address,
    words: uint256[layout.PLACES],
    prices: uint256[layout.MAX_TOKENS],
    shares: uint256,
    supply: uint256,
) -> Book:
    """
    @notice What a vault holds
    @param  prices Positions stand where these imply; all 0: as their pools stand
    @param  supply 0, or else only what a redemption of `shares` of so many takes out of positions counts as placed.
    """
    book: Book = empty(Book)
    for i: uint256 in range(self._position_count(words), bound=layout.MAX_POSITIONS):
        position: uint256 = self._position(words, i)
        pool: uint256 = words[layout.POOLS + (position >> 48)]
        tokens: uint256[2] = [layout._token(pool, 0), layout._token(pool, 1)]
        fair: uint256 = 0
        if prices[tokens[0]] != 0:
            fair = oracle._fair(pool, prices)
        stake: uint256[2] = empty(uint256[2])
        fees: uint256[2] = empty(uint256[2])
        if pool >> layout.KIND & layout.BYTE == layout.V2:
            liquidity: uint256 = portfolio._balance_of(layout._address(pool), vault)
            if supply == 0:
                stake = self._pair(words, pool, fair, liquidity)
            else:
                stake = self._burnt(words, pool, maths._mul_div(liquidity, shares, supply))
        else:
            held: IPool.Held = pools._held(pool, position, vault)
            slot0: IPool.Slot0 = pools._slot0(pool)
            fees = portfolio._fees(pool, position, slot0.tick, held)
            if fair == 0:
                fair = slot0.sqrt_price_x96
            if supply != 0:
                held.liquidity = maths._mul_div(held.liquidity, shares, supply)
            stake = portfolio._range(position, fair, held.liquidity)
        for side: uint256 in range(2):
            book.placed[tokens[side]] += stake[side]
            book.idle[tokens[side]] += fees[side]
    for i: uint256 in range(self._token_count(words), bound=layout.MAX_TOKENS):
        all_of_it: uint256 = book.idle[i] + self._balance(words, i, vault)
        book.idle[i] = all_of_it - min(all_of_it, staticcall IVault(vault).owed_total(i))
    return book


@internal
@view
def _balance(words: uint256[layout.PLACES], index: uint256, owner: address) -> uint256:
    return portfolio._balance_of(layout._address(words[layout.TOKENS + index]), owner)


@internal
@view
def _pair(words: uint256[layout.PLACES], pool: uint256, fair: uint256, liquidity: uint256) -> uint256[2]:
    """@notice What LP tokens stand for, as the vault counts: at the fair price, or (`fair` 0) at spot"""
    pair: address = layout._address(pool)
    supply: uint256 = staticcall IPair(pair).totalSupply()
    reserves: uint256[2] = pools._reserves(pool)
    amounts: uint256[2] = reserves
    root: uint256 = maths._root(reserves[0] * reserves[1])
    if fair != 0:
        amounts = [maths._mul_div(root, Q96, fair), maths._mul_div(root, fair, Q96)]
    for side: uint256 in range(2):
        balance: uint256 = self._balance(words, layout._token(pool, side), pair)
        if fair == 0:
            amounts[side] = max(balance, reserves[side])
        elif balance < reserves[side]:
            refuse._with(refuse.ORACLE_PAIR)
        amounts[side] = maths._mul_div(amounts[side], liquidity, supply)
    return amounts


@internal
@view
def _burnt(words: uint256[layout.PLACES], pool: uint256, liquidity: uint256) -> uint256[2]:
    """
    @notice What a redemption gets for LP tokens: what Uniswap's pair pays when they are burnt, after its own fee, and
            with it what LP tokens that lie in the pair stand for
    """
    pair: address = layout._address(pool)
    amounts: uint256[2] = self._pair(words, pool, 0, liquidity)
    if amounts[0] < 2 or amounts[1] < 2:
        return amounts  # handed over as they are
    burnt: uint256 = liquidity + portfolio._balance_of(pair, pair)
    supply: uint256 = staticcall IPair(pair).totalSupply()
    last: uint256 = maths._root(staticcall FeePair(pair).kLast())
    if last != 0 and staticcall PairFactory(staticcall FeePair(pair).factory()).feeTo() != empty(address):
        reserves: uint256[2] = pools._reserves(pool)
        root: uint256 = maths._root(reserves[0] * reserves[1])
        if root > last:
            supply += supply * (root - last) // (5 * root + last)
    for side: uint256 in range(2):
        amounts[side] = maths._mul_div(self._balance(words, layout._token(pool, side), pair), burnt, supply)
    return amounts
