"""The incident museum: what went wrong for others, a small contract that still has the hole, and our vault beside it.

Every exhibit is one attack, run twice. The twin loses what it lost; the vault loses nothing, or says why it refuses.
"""

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Exhibit:
    """A row of the catalogue."""

    incident: str
    year: str  # and month, where one happened then
    loss: str  # as published
    cause: str
    guard: str
    twins: tuple[str, ...]  # contracts/mocks/museum
    test: str  # file: the attack, after which its tests are named


EXHIBITS = (
    Exhibit(
        "Visor",
        "2021-06",
        "$0.5 M",
        "the hot key that rebalances could also withdraw",
        "the keeper moves value inside the vault only; there is no function to withdraw for others",
        ("HotKey",),
        "test_custody.py: hot_key",
    ),
    Exhibit(
        "Visor",
        "2021-12",
        "$8.2 M",
        "a deposit asked the caller's own contract to pay, and believed it",
        "tokens are taken from the caller, and the balance must have grown by just as much",
        ("TrustsPayer",),
        "test_custody.py: false_payer",
    ),
    Exhibit(
        "Dexible, Socket, LiFi",
        "2023, 2024",
        "$2 M, $3.3 M, $8 M",
        "a contract that holds allowances made any call it was told to make",
        "no raw call; what others allow is spent for nobody but the caller",
        ("AnyCall",),
        "test_custody.py: any_call",
    ),
    Exhibit(
        "Sorbet (G-UNI)",
        "2021-12",
        "$27 M at risk",
        "a pool's callback could be called by anybody",
        "a callback is accepted only from the pool being called, once, up to what was opened",
        ("OpenCallback",),
        "test_custody.py: spoofed_callback",
    ),
    Exhibit(
        "Sushi RouteProcessor2",
        "2023-04",
        "$3.3 M",
        "the callback was accepted from whatever pool the caller had named",
        "a pool is named by its place in the register",
        ("AnyPool",),
        "test_custody.py: own_pool",
    ),
    Exhibit(
        "Harvest",
        "2020-10",
        "$24 M",
        "shares were priced at the spot of a pool that anybody can move",
        "in kind both ways: no price touches what a share is worth",
        ("SpotPriced",),
        "test_pricing.py: sandwich_of_shares",
    ),
    Exhibit(
        "Gamma",
        "2024-01",
        "$3.4 M to $6.3 M",
        "the same, behind a threshold of 50 % to 200 %",
        "in kind; and every limit on the keeper has a ceiling in code",
        ("SpotPriced",),
        "test_pricing.py: wide_threshold",
    ),
    Exhibit(
        "vaults of several tokens",
        "2026",
        "several",
        "one valuation to mint, another to redeem",
        "the same in-kind rule both ways",
        ("TwoValues",),
        "test_pricing.py: two_valuations",
    ),
    Exhibit(
        "yDAI, DRLVault",
        "2021-02, 2025",
        "$11 M, unknown",
        "the keeper's swap took whatever the pool gave",
        "spot must be near the feeds before and after; the loss at the feeds' prices has a limit",
        ("NoMinimum",),
        "test_pricing.py: no_minimum",
    ),
    Exhibit(
        "Popsicle",
        "2021-08",
        "$20 M",
        "a transfer did not settle fees: each new owner claimed those of all time",
        "a mint pays for every unclaimed fee, a redemption collects them; nobody has fees of his own",
        ("FeesOfTransferred",),
        "test_shares.py: passed_on",
    ),
    Exhibit(
        "Hundred, Sonne",
        "2023-04, 2024-05",
        "$7.4 M, $20 M",
        "the first depositor made a share so dear that the next deposit rounded away",
        "minting is by shares, and the first shares are locked",
        ("AssetsToShares",),
        "test_shares.py: dear_share",
    ),
    Exhibit(
        "Resupply",
        "2025-06",
        "$9.6 M",
        "a gift to an empty vault made its share dearer than a lender could count",
        "the locked shares make that a million times as dear",
        ("AssetsToShares", "LendsByRate"),
        "test_shares.py: weightless_debt",
    ),
    Exhibit(
        "KyberSwap",
        "2023-11",
        "$55 M",
        "a trade rounded up to end on a tick's boundary did not count as crossing it",
        "amounts of ranges are the pool's own, to the unit, at and beside every boundary",
        ("BoundaryPool",),
        "test_rounding.py: over_the_edge",
    ),
    Exhibit(
        "Bunni",
        "2025-09",
        "$8.4 M",
        "withdrawals rounded for the one who leaves, 44 times over",
        "every rounding is for those who stay; a round trip never profits",
        ("RoundsForLeaver",),
        "test_rounding.py: dust_by_dust",
    ),
    Exhibit(
        "Balancer",
        "2025-11",
        "$120 M",
        "prices of tiny swaps rounded down, many times in a batch",
        "minting costs the ceiling, and a unit is never free",
        ("BatchRounds",),
        "test_rounding.py: batch_of_crumbs",
    ),
    Exhibit(
        "dForce, Sturdy, Conic",
        "2023",
        "$3.6 M, $0.8 M, $3.2 M",
        "a lender read a price in the middle of a withdrawal",
        "views hold the same lock",
        ("OpenViews", "LendsByBalance"),
        "test_reentry.py: borrow_in_the_middle",
    ),
    Exhibit(
        "Curve",
        "2023-07",
        "$70 M",
        "the compiler gave each function a lock of its own",
        "one lock, tried on the bytecode from every hook into every function",
        ("TwoLocks",),
        "test_reentry.py: mint_in_the_middle",
    ),
    Exhibit(
        "GiddyVault",
        "2026-04",
        "$1.3 M",
        "the signature covered a part of the struct",
        "a permit is signed whole: chain, vault, owner, spender, amount, nonce, deadline",
        ("PartSigned",),
        "test_signatures.py: rebound",
    ),
    Exhibit(
        "Lixir",
        "2026-06",
        "$33 k",
        "a permit asked whether anybody had signed, not whether the owner had",
        "the signer must be the owner, and the owner somebody",
        ("AnyRecovery",),
        "test_signatures.py: forged",
    ),
)


def table() -> str:
    """The catalogue in Markdown, a row for each exhibit."""
    names = [field.name for field in fields(Exhibit)]
    rows = [names, ["---"] * len(names), *(_cells(exhibit) for exhibit in EXHIBITS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cells(exhibit: Exhibit) -> list[str]:
    return [", ".join(cell) if isinstance(cell, tuple) else cell for cell in astuple(exhibit)]
