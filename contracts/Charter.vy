# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title   Evenkeel charter: the rules of one vault, and who may change them
@license Apache-2.0
@notice  The owner sets rules within ceilings that stand in this code. What narrows them acts at once; what widens them is
         asked for twice, `delay_s` apart, so that everyone can leave in between. Owner and guardian may pause the keeper
         and minting. Nobody can move funds through a charter: all it can do is write the vault's rules.
@dev     The vault keeps the words (`modules/layout.vy`); this is the only contract that may write them.
@custom:kill The guardian or the owner calls `pause`; redemption goes on.
"""

from interfaces import IFeed
from interfaces import IPair
from interfaces import IPool
from interfaces import IToken
from interfaces import IVault
from modules import layout
from modules import maths
from modules import refuse
from modules import roles

initializes: roles

exports: (
    roles.owner,
    roles.pending_owner,
    roles.guardian,
    roles.delay_s,
    roles.ready_at,
    roles.transfer_ownership,
    roles.accept_ownership,
    roles.set_guardian,
    roles.revoke,
)


struct TokenSetup:
    token: address
    feed: address
    max_age: uint256  # s
    least_answer: uint256  # of the feed, kept to 12 digits: an answer there or below is a feed at its end
    most_answer: uint256  # and there or above
    least_bps: uint256  # corridor of the looked-through weight
    most_bps: uint256


struct PoolSetup:
    pool: address
    kind: uint256  # V2 or V3
    fee: uint256  # pips; read from the pool where it is V3
    twap_window: uint256  # s; 0: no cross-check; V3 only


# ------------------------------------------------------------------ events

event KeeperSet:
    keeper: indexed(address)


event Paused:
    by: indexed(address)


event Unpaused:
    by: indexed(address)


event LimitsSet:
    limits: layout.Limits


event TokenSet:
    index: indexed(uint256)
    setup: TokenSetup


event PoolAdded:
    index: uint256
    pool: indexed(address)


event FeeSet:
    receiver: indexed(address)
    rate_bps: uint256


# ------------------------------------------------------------------ ceilings

MOST_BUNDLE_LOSS_BPS: constant(uint256) = 200
MOST_DAY_LOSS_BPS: constant(uint256) = 500
MOST_DAY_TURNOVER_BPS: constant(uint256) = 200_000
MOST_DEVIATION_BPS: constant(uint256) = 500
MOST_COOLDOWN_S: constant(uint256) = 604_800
MOST_FEED_AGE_S: constant(uint256) = 172_800
LEAST_FEED_DECIMALS: constant(uint256) = 6
MOST_FEED_DECIMALS: constant(uint256) = 18
MOST_TOKEN_DECIMALS: constant(uint256) = 24
MOST_POOL_FEE: constant(uint256) = 100_000  # pips
MOST_TWAP_WINDOW_S: constant(uint256) = 86_400
MOST_FEE_BPS: constant(uint256) = 200  # of the shares, in a year

PRICE_DECIMALS: constant(uint256) = 54  # of the money that one smallest unit of a token is worth

vault: public(immutable(address))


@deploy
def __init__(
    vault_: address,
    owner: address,
    keeper: address,
    guardian: address,
    delay_s: uint256,
    tokens_: DynArray[TokenSetup, layout.MAX_TOKENS],
    pools_: DynArray[PoolSetup, layout.MAX_POOLS],
    limits_: layout.Limits,
):
    """@dev The vault is there already, and names this charter: the address that its deployer's next contract gets."""
    vault = vault_
    roles.__init__(owner, guardian, delay_s)
    self._set_keeper(keeper)
    self._set_limits(limits_)
    for setup: TokenSetup in tokens_:
        self._add_token(setup)
    for setup: PoolSetup in pools_:
        self._add_pool(setup)


# ------------------------------------------------------------------ keeper and pause

@external
def set_keeper(keeper: address):
    """@notice Name the keeper at once: a stolen key must not wait. Zero: nobody."""
    roles._only_owner()
    self._set_keeper(keeper)


@external
def pause():
    """@notice Stop the keeper and minting; redemption goes on. For the owner or the guardian."""
    roles._only_watch()
    self._write(layout.HELD, layout.PAUSED)
    log Paused(by=msg.sender)


@external
def unpause():
    """@notice Let the keeper and minting go on."""
    roles._only_owner()
    self._write(layout.HELD, 0)
    log Unpaused(by=msg.sender)


@internal
def _set_keeper(keeper: address):
    self._write(layout.RULES, self._word(layout.RULES) >> layout.LIMITS << layout.LIMITS | convert(keeper, uint256))
    log KeeperSet(keeper=keeper)


# ------------------------------------------------------------------ limits and fee

@external
def set_limits(limits: layout.Limits):
    """@notice Replace the limits; at once where no limit widens, else asked twice."""
    roles._only_owner()
    now: layout.Limits = layout._limits(self._word(layout.RULES))
    if (
        limits.bundle_loss_bps > now.bundle_loss_bps
        or limits.day_loss_bps > now.day_loss_bps
        or limits.day_turnover_bps > now.day_turnover_bps
        or limits.deviation_bps > now.deviation_bps
        or limits.cooldown_s < now.cooldown_s
    ):
        if roles._waits(keccak256(slice(msg.data, 0, 164))):
            return
    self._set_limits(limits)


@external
def set_fee(receiver: address, rate_bps: uint256):
    """@notice Set the yearly fee in new shares, and who gets them; at once where it does not rise, else asked twice."""
    roles._only_owner()
    if rate_bps > self._word(layout.FEE) >> 160:
        if roles._waits(keccak256(slice(msg.data, 0, 68))):
            return
    if rate_bps > MOST_FEE_BPS:
        refuse._with(refuse.LIMITS_CEILING)
    if receiver == empty(address):
        refuse._with(refuse.VAULT_RECEIVER)
    self._write(layout.FEE, convert(receiver, uint256) | rate_bps << 160)
    log FeeSet(receiver=receiver, rate_bps=rate_bps)


@internal
def _set_limits(limits: layout.Limits):
    if (
        limits.bundle_loss_bps > MOST_BUNDLE_LOSS_BPS
        or limits.day_loss_bps > MOST_DAY_LOSS_BPS
        or limits.day_turnover_bps > MOST_DAY_TURNOVER_BPS
        or limits.deviation_bps > MOST_DEVIATION_BPS
        or limits.cooldown_s > MOST_COOLDOWN_S
    ):
        refuse._with(refuse.LIMITS_CEILING)
    keeper: uint256 = self._word(layout.RULES) & (2**layout.LIMITS - 1)
    self._write(layout.RULES, keeper | layout._limits_word(limits) << layout.LIMITS)
    log LimitsSet(limits=limits)


# ------------------------------------------------------------------ tokens

@external
def add_token(setup: TokenSetup):
    """@notice List a token with its feed and corridor; asked twice."""
    if roles._waits(keccak256(slice(msg.data, 0, 228))):
        return
    self._add_token(setup)


@external
def set_feed(index: uint256, feed: address, max_age: uint256, least_answer: uint256, most_answer: uint256):
    """@notice Replace a token's feed; at once where only the age or the answers allowed shrink, else asked twice."""
    roles._only_owner()
    setup: TokenSetup = self._token_info(index)
    if (
        feed != setup.feed
        or max_age > setup.max_age
        or least_answer < setup.least_answer
        or most_answer > setup.most_answer
    ):
        if roles._waits(keccak256(slice(msg.data, 0, 164))):
            return
    setup.feed = feed
    setup.max_age = max_age
    setup.least_answer = least_answer
    setup.most_answer = most_answer
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
    index: uint256 = self._free(layout.TOKENS, layout.MAX_TOKENS)
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
    least: uint256 = maths._packed(setup.least_answer, layout.ANSWER_BITS)
    most: uint256 = maths._packed(setup.most_answer, layout.ANSWER_BITS)
    if maths._unpacked(least) >= maths._unpacked(most):
        refuse._with(refuse.REGISTRY_BOUNDS)
    exponent: uint256 = unsafe_sub(PRICE_DECIMALS, unsafe_add(token_decimals, feed_decimals))
    self._write(
        layout.TOKENS + index,
        convert(setup.token, uint256)
        | setup.max_age << 160
        | exponent << 184
        | setup.least_bps << 192
        | setup.most_bps << 208,
    )
    self._write(
        layout.FEEDS + index,
        convert(setup.feed, uint256)
        | least << 160
        | most << 208,
    )
    log TokenSet(index=index, setup=setup)


# ------------------------------------------------------------------ pools

@external
def add_pool(setup: PoolSetup):
    """@notice List a pool of two listed tokens; asked twice."""
    if roles._waits(keccak256(slice(msg.data, 0, 132))):
        return
    self._add_pool(setup)


@internal
def _add_pool(setup: PoolSetup):
    self._assert_new(setup.pool)
    index: uint256 = self._free(layout.POOLS, layout.MAX_POOLS)
    fee: uint256 = setup.fee
    if setup.kind == layout.V3:
        if setup.twap_window > MOST_TWAP_WINDOW_S:
            refuse._with(refuse.REGISTRY_WINDOW)
        fee = staticcall IPool(setup.pool).fee()
    else:
        if setup.kind != layout.V2:
            refuse._with(refuse.REGISTRY_KIND)
        if setup.twap_window != 0:
            refuse._with(refuse.REGISTRY_WINDOW)
    if fee > MOST_POOL_FEE:
        refuse._with(refuse.REGISTRY_FEE)
    token0: uint256 = self._index_of(staticcall IPair(setup.pool).token0())
    token1: uint256 = self._index_of(staticcall IPair(setup.pool).token1())
    self._write(
        layout.POOLS + index,
        convert(setup.pool, uint256)
        | token0 << 160
        | token1 << 168
        | setup.kind << 176
        | fee << 184
        | setup.twap_window << 208,
    )
    log PoolAdded(index=index, pool=setup.pool)


# ------------------------------------------------------------------ everybody

@external
@view
def keeper() -> address:
    """@notice Who may execute bundles."""
    return layout._keeper(self._word(layout.RULES))


@external
@view
def paused() -> bool:
    """@notice Whether the keeper and minting are stopped."""
    return self._word(layout.HELD) & layout.PAUSED != 0


@external
@view
def limits() -> layout.Limits:
    """@notice The limits in force."""
    return layout._limits(self._word(layout.RULES))


@external
@view
def fee() -> (address, uint256):
    """@return Who gets the fee; the yearly rate (bps)."""
    word: uint256 = self._word(layout.FEE)
    return layout._address(word), word >> 160


@external
@view
def tokens() -> DynArray[address, layout.MAX_TOKENS]:
    """@notice The listed tokens: the order of every list of amounts."""
    found: DynArray[address, layout.MAX_TOKENS] = []
    for i: uint256 in range(layout.MAX_TOKENS):
        word: uint256 = self._word(layout.TOKENS + i)
        if word != 0:
            found.append(layout._address(word))
    return found


@external
@view
def token_info(index: uint256) -> TokenSetup:
    """@notice How a token is set up."""
    return self._token_info(index)


@external
@view
def pools() -> DynArray[address, layout.MAX_POOLS]:
    """@notice The listed pools: the order that actions name."""
    found: DynArray[address, layout.MAX_POOLS] = []
    for i: uint256 in range(layout.MAX_POOLS):
        word: uint256 = self._word(layout.POOLS + i)
        if word != 0:
            found.append(layout._address(word))
    return found


@external
@view
def pool_info(index: uint256) -> PoolSetup:
    """@notice How a pool is set up."""
    word: uint256 = 0
    if index < layout.MAX_POOLS:
        word = self._word(layout.POOLS + index)
    if word == 0:
        refuse._with(refuse.REGISTRY_NO_POOL)
    return PoolSetup(
        pool=layout._address(word), kind=word >> layout.KIND & layout.BYTE, fee=layout._fee(word), twap_window=word >> layout.WINDOW
    )


# ------------------------------------------------------------------ words

@internal
@view
def _word(place: uint256) -> uint256:
    return staticcall IVault(vault).setting(place)


@internal
def _write(place: uint256, word: uint256):
    extcall IVault(vault).write(place, word)


@internal
@view
def _free(first: uint256, most: uint256) -> uint256:
    """@notice The first free place of a list, counted from its first"""
    for i: uint256 in range(most, bound=layout.MAX_POOLS):
        if self._word(first + i) == 0:
            return i
    refuse._with(refuse.REGISTRY_FULL)
    return 0  # never


@internal
@view
def _token_info(index: uint256) -> TokenSetup:
    if index >= layout.MAX_TOKENS or self._word(layout.TOKENS + index) == 0:
        refuse._with(refuse.REGISTRY_NO_TOKEN)
    token: uint256 = self._word(layout.TOKENS + index)
    feed: uint256 = self._word(layout.FEEDS + index)
    return TokenSetup(
        token=layout._address(token),
        feed=layout._address(feed),
        max_age=layout._max_age(token),
        least_answer=layout._least_answer(feed),
        most_answer=layout._most_answer(feed),
        least_bps=token >> layout.LEAST & 65_535,
        most_bps=token >> layout.MOST,
    )


@internal
@view
def _index_of(token: address) -> uint256:
    for i: uint256 in range(layout.MAX_TOKENS):
        if token != empty(address) and layout._address(self._word(layout.TOKENS + i)) == token:
            return i
    refuse._with(refuse.REGISTRY_NO_TOKEN)
    return 0  # never


@internal
@view
def _assert_new(listed: address):
    """@dev A pair listed as a token too would count its LP tokens twice."""
    for place: uint256 in range(layout.TOKENS, layout.FEEDS):
        if layout._address(self._word(place)) == listed:
            refuse._with(refuse.REGISTRY_LISTED)
    for place: uint256 in range(layout.POOLS, layout.HELD):
        if layout._address(self._word(place)) == listed:
            refuse._with(refuse.REGISTRY_LISTED)
