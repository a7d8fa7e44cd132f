# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title   The tokens, pools and positions the vault knows, packed so that a touched one costs few slots
@license Apache-2.0
@notice  Nothing is ever taken off the lists of tokens and pools: holders' claims hang on them.
"""

from interfaces import IFeed
from interfaces import IPair
from interfaces import IPool
from interfaces import IToken
from modules import refuse
from modules import roles

uses: roles

struct TokenSetup:
    token: address
    feed: address
    max_age: uint256  # s
    least_bps: uint256  # corridor of the looked-through weight
    most_bps: uint256


struct PoolSetup:
    pool: address
    kind: uint256  # V2 or V3
    fee: uint256  # pips; read from the pool where it is V3
    twap_window: uint256  # s; 0: no cross-check; V3 only


event TokenSet:
    index: indexed(uint256)
    setup: TokenSetup


event PoolAdded:
    index: uint256
    pool: indexed(address)


# ------------------------------------------------------------------ storage

MAX_TOKENS: constant(uint256) = 8
MAX_POOLS: constant(uint256) = 16
MAX_POSITIONS: constant(uint256) = 8

MOST_FEED_AGE_S: constant(uint256) = 172_800
LEAST_FEED_DECIMALS: constant(uint256) = 6
MOST_FEED_DECIMALS: constant(uint256) = 18
MOST_TOKEN_DECIMALS: constant(uint256) = 24
MOST_POOL_FEE: constant(uint256) = 100_000  # pips
MOST_TWAP_WINDOW_S: constant(uint256) = 86_400
PRICE_DECIMALS: constant(uint256) = 54  # of the money that one smallest unit of a token is worth

V2: constant(uint256) = 2
V3: constant(uint256) = 3
ADDRESS: constant(uint256) = 2**160 - 1

token_list: DynArray[address, MAX_TOKENS]
feed_words: uint256[MAX_TOKENS]  # feed | max age << 160 | exponent << 184 | least bps << 192 | most bps << 208
pool_words: DynArray[uint256, MAX_POOLS]  # pool | tokens << 160, << 168 | kind << 176 | fee << 184 | window << 208
position_words: DynArray[uint256, MAX_POSITIONS]  # pool's index << 48 | lower tick << 24 | upper tick; V2: ticks are 0
owed: public(HashMap[address, HashMap[address, uint256]])  # token -> who -> amount set aside by a redemption
owed_total: uint256[MAX_TOKENS]


@deploy
def __init__(tokens_: DynArray[TokenSetup, MAX_TOKENS], pools_: DynArray[PoolSetup, MAX_POOLS]):
    for setup: TokenSetup in tokens_:
        self._add_token(setup)
    for setup: PoolSetup in pools_:
        self._add_pool(setup)


# ------------------------------------------------------------------ owner

@external
def add_token(setup: TokenSetup):
    """@notice List a token with its feed and corridor; asked twice."""
    if roles._waits(keccak256(slice(msg.data, 0, 164))):
        return
    self._add_token(setup)


@external
def add_pool(setup: PoolSetup):
    """@notice List a pool of two listed tokens; asked twice."""
    if roles._waits(keccak256(slice(msg.data, 0, 132))):
        return
    self._add_pool(setup)


@external
def set_feed(index: uint256, feed: address, max_age: uint256):
    """@notice Replace a token's feed; at once where only the age allowed shrinks, else asked twice."""
    roles._only_owner()
    setup: TokenSetup = self._token_info(index)
    if feed != setup.feed or max_age > setup.max_age:
        if roles._waits(keccak256(slice(msg.data, 0, 100))):
            return
    setup.feed = feed
    setup.max_age = max_age
    self._set_token(index, setup)


@external
def set_corridor(index: uint256, least_bps: uint256, most_bps: uint256):
    """@notice Replace a token's corridor; at once where it only narrows, else asked twice."""
    roles._only_owner()
    setup: TokenSetup = self._token_info(index)
    if least_bps < setup.least_bps or most_bps > setup.most_bps:
        if roles._waits(keccak256(slice(msg.data, 0, 100))):
            return
    setup.least_bps = least_bps
    setup.most_bps = most_bps
    self._set_token(index, setup)


@internal
def _add_token(setup: TokenSetup):
    self._assert_new(setup.token)
    index: uint256 = len(self.token_list)
    if index >= MAX_TOKENS:
        refuse._with(refuse.REGISTRY_FULL)
    self.token_list.append(setup.token)
    self._set_token(index, setup)


@internal
def _set_token(index: uint256, setup: TokenSetup):
    if setup.max_age == 0 or setup.max_age > MOST_FEED_AGE_S:
        refuse._with(refuse.REGISTRY_FEED_AGE)
    token_decimals: uint256 = staticcall IToken(setup.token).decimals()
    feed_decimals: uint256 = staticcall IFeed(setup.feed).decimals()
    if (
        token_decimals > MOST_TOKEN_DECIMALS
        or feed_decimals < LEAST_FEED_DECIMALS
        or feed_decimals > MOST_FEED_DECIMALS
    ):
        refuse._with(refuse.REGISTRY_DECIMALS)
    if setup.least_bps > setup.most_bps or setup.most_bps > 10_000:
        refuse._with(refuse.REGISTRY_CORRIDOR)
    self.feed_words[index] = (
        convert(setup.feed, uint256)
        | setup.max_age << 160
        | unsafe_sub(PRICE_DECIMALS, unsafe_add(token_decimals, feed_decimals)) << 184
        | setup.least_bps << 192
        | setup.most_bps << 208
    )
    log TokenSet(index=index, setup=setup)


@internal
def _add_pool(setup: PoolSetup):
    self._assert_new(setup.pool)
    index: uint256 = len(self.pool_words)
    if index >= MAX_POOLS:
        refuse._with(refuse.REGISTRY_FULL)
    fee: uint256 = setup.fee
    if setup.kind == V3:
        if setup.twap_window > MOST_TWAP_WINDOW_S:
            refuse._with(refuse.REGISTRY_WINDOW)
        fee = staticcall IPool(setup.pool).fee()
    else:
        if setup.kind != V2:
            refuse._with(refuse.REGISTRY_KIND)
        if setup.twap_window != 0:
            refuse._with(refuse.REGISTRY_WINDOW)
    if fee > MOST_POOL_FEE:
        refuse._with(refuse.REGISTRY_FEE)
    token0: uint256 = self._index_of(staticcall IPair(setup.pool).token0())
    token1: uint256 = self._index_of(staticcall IPair(setup.pool).token1())
    self.pool_words.append(
        convert(setup.pool, uint256)
        | token0 << 160
        | token1 << 168
        | setup.kind << 176
        | fee << 184
        | setup.twap_window << 208
    )
    log PoolAdded(index=index, pool=setup.pool)


@internal
@view
def _assert_new(listed: address):
    """@dev A pair listed as a token too would count its LP tokens twice."""
    for token: address in self.token_list:
        if token == listed:
            refuse._with(refuse.REGISTRY_LISTED)
    for pool: uint256 in self.pool_words:
        if self._address(pool) == listed:
            refuse._with(refuse.REGISTRY_LISTED)


# ------------------------------------------------------------------ everybody

@external
@view
def tokens() -> DynArray[address, MAX_TOKENS]:
    """@notice The listed tokens: the order of every list of amounts."""
    return self.token_list


@external
@view
def token_info(index: uint256) -> TokenSetup:
    """@notice How a token is set up."""
    return self._token_info(index)


@external
@view
def pools() -> DynArray[address, MAX_POOLS]:
    """@notice The listed pools: the order that actions name."""
    found: DynArray[address, MAX_POOLS] = []
    for pool: uint256 in self.pool_words:
        found.append(self._address(pool))
    return found


@external
@view
def pool_info(index: uint256) -> PoolSetup:
    """@notice How a pool is set up."""
    pool: uint256 = self._pool(index)
    return PoolSetup(
        pool=self._address(pool),
        kind=self._kind(pool),
        fee=self._fee(pool),
        twap_window=self._window(pool),
    )


@external
@view
def positions() -> DynArray[uint256, MAX_POSITIONS]:
    """@notice The positions held: pool's index << 48 | lower tick << 24 | upper tick (int24); V2: ticks are 0."""
    return self.position_words


# ------------------------------------------------------------------ for the vault

@internal
@view
def _token_info(index: uint256) -> TokenSetup:
    if index >= len(self.token_list):
        refuse._with(refuse.REGISTRY_NO_TOKEN)
    word: uint256 = self.feed_words[index]
    return TokenSetup(
        token=self.token_list[index],
        feed=self._address(word),
        max_age=word >> 160 & (2**24 - 1),
        least_bps=self._least(word),
        most_bps=self._most(word),
    )


@internal
@pure
def _least(feed: uint256) -> uint256:
    return feed >> 192 & (2**16 - 1)


@internal
@pure
def _most(feed: uint256) -> uint256:
    return feed >> 208


@internal
@view
def _index_of(token: address) -> uint256:
    index: uint256 = 0
    for listed: address in self.token_list:
        if listed == token:
            return index
        index = unsafe_add(index, 1)
    refuse._with(refuse.REGISTRY_NO_TOKEN)
    return 0  # never


@internal
@view
def _pool(index: uint256) -> uint256:
    if index >= len(self.pool_words):
        refuse._with(refuse.REGISTRY_NO_POOL)
    return self.pool_words[index]


@internal
@pure
def _address(word: uint256) -> address:
    return convert(word & ADDRESS, address)


@internal
@pure
def _token(pool: uint256, side: uint256) -> uint256:
    """@notice The index of the pool's token0 (side 0) or token1 (side 1)"""
    return pool >> (160 | side << 3) & 255


@internal
@pure
def _kind(pool: uint256) -> uint256:
    return pool >> 176 & 255


@internal
@pure
def _fee(pool: uint256) -> uint256:
    return pool >> 184 & (2**24 - 1)


@internal
@pure
def _window(pool: uint256) -> uint256:
    return pool >> 208


@internal
@pure
def _lower(position: uint256) -> int24:
    return convert(convert(position, int256) << 208 >> 232, int24)


@internal
@pure
def _upper(position: uint256) -> int24:
    return convert(convert(position, int256) << 232 >> 232, int24)


@internal
@view
def _find(position: uint256) -> uint256:
    """@notice A position's place in the list; MAX_POSITIONS where it is not in it"""
    index: uint256 = 0
    for held: uint256 in self.position_words:
        if held == position:
            return index
        index = unsafe_add(index, 1)
    return MAX_POSITIONS


@internal
def _keep(position: uint256):
    """@notice List a position unless it is listed"""
    if self._find(position) == MAX_POSITIONS:
        if len(self.position_words) >= MAX_POSITIONS:
            refuse._with(refuse.VAULT_POSITIONS_FULL)
        self.position_words.append(position)


@internal
def _drop(index: uint256):
    """@notice Take a position off the list; the last one takes its place"""
    last: uint256 = self.position_words.pop()
    if index < len(self.position_words):
        self.position_words[index] = last
