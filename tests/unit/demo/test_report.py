"""What is told of a run: figures, table, JSON and page agree, and the page needs nothing else."""

import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from rich.console import Console

from bot.core.units import Money, Timestamp
from bot.demo import report
from bot.demo.figures import figures
from bot.demo.result import Bundle, DemoResult, Hour, PositionSeen, RangeSeen, Refusal, ShareAccount, TokenAccount
from bot.ledger.place import Place
from tests.factories import USDC, WETH

START = 1_790_000_400
TOKENS = ("USDC", "WETH", "WBTC")


def money(amount: str | int) -> Money:
    return Money(Decimal(amount))


def hour(n: int, vault: int, **changes: object) -> Hour:
    made = Hour(
        at=Timestamp(START + 3_600 * n),
        prices=(money(1), money(3_000 + n), money(90_000 - n)),
        vault=money(vault),
        hold=money(990_000),
        left=money(980_000),
        weights=(0.4, 0.39, 0.21),
        drift=0.01,
        drift_left=0.05,
        band=0.02,
        pools_off=0.0,
        ranges=(RangeSeen("USDC/WETH-500", "WETH", "USDC", 2_700.0, 3_300.0),) if n else (),
        liquidity=money(150_000 if n else 0),
        in_range=0.5 * n if n else None,
        fees_earned=money(60 * n),
        impermanent_loss=money(-150 * n),
        rebalancing_loss=money(100 * n),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def bundle(**changes: object) -> Bundle:
    made = Bundle(
        at=Timestamp(START),
        tx="0x" + "ab" * 32,
        ok=True,
        revert="",
        why=("WETH is <too> heavy",),
        did=("swap 1.0000 WETH for 3,000.00 USDC",),
        drift_before=0.03,
        drift_after=0.001,
        band=0.02,
        traded=money(3_000),
        swap_fees=money("1.5"),
        gas_expected=410_000,
        gas_used=400_000,
        gas_paid=money("2.4"),
        off_wei=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def token(**changes: int) -> TokenAccount:
    return replace(TokenAccount("USDC", held=100, redeemable=98, paid=99, bound=5), **changes)


def seen() -> PositionSeen:
    here = Place(WETH, USDC, 2_700.0, 3_300.0, 2_950.0, 1 / 3_000**0.5 - 1 / 3_300**0.5, 3_000**0.5 - 2_700**0.5)
    return PositionSeen("USDC/WETH-500, ticks -10:10", Timestamp(START), here)


def run(**changes: object) -> DemoResult:
    made = DemoResult(
        chain="replica of mainnet",
        path="a made-up path, seed 1",
        made_up=True,
        policy="balanced (0123456789ab)",
        numeraire="USD",
        base_fee_gwei=money(2),
        tokens=TOKENS,
        targets=(0.4, 0.4, 0.2),
        deposited=money(1_000_000),
        basket=(0.5, 0.3, 0.2),
        hours=(hour(0, 1_000_000), hour(1, 995_000, drift=0.03), hour(2, 1_010_000)),
        bundles=(bundle(), bundle(off_wei=0, gas_used=500_000)),
        refusals=(Refusal(Timestamp(START), "guard", "gas costs too much"),),
        cycles=2,
        out_of_band=1,
        fees_earned=money(120),
        impermanent_loss=money(-300),
        rebalancing_loss=money(200),
        positions=(seen(),),
        flow=money(10**7),
        withdrawn=money(150_000),
        shares=ShareAccount(100, (("founder", 60), ("locked", 40)), (token(),)),
        seconds=12.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Links(HTMLParser):
    """Collects whatever would make a browser fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "base"}:
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "xlink:href", "action"}]


def test_figures__a_run__sum_up_its_series() -> None:
    f = figures(run())
    assert f.vault_return == pytest.approx(0.01)
    assert f.hold_return == pytest.approx(-0.01)
    assert f.left_return == pytest.approx(-0.02)
    assert f.out_of_band == 0.5
    assert (f.worst_drift, f.last_drift) == (0.03, 0.01)
    assert (f.sent, f.failed, f.off_wei) == (2, 0, 1)
    assert (f.traded, f.swap_fees, f.gas_paid) == (money(6_000), money(3), money("4.8"))
    assert f.gas_used == 900_000


def test_figures__no_bundle__nothing_paid() -> None:
    f = figures(run(bundles=()))
    assert (f.sent, f.off_wei, f.gas_paid) == (0, 0, 0)


def test_figures__ranges__rates_are_parts_of_the_money_in_them_a_day() -> None:
    """300,000 over three hours, half and then all of it in range; two hours passed; 120, 300 and 200 of money."""
    f = figures(run())
    assert f.liquidity == 100_000
    assert f.in_range == pytest.approx(0.75)
    rates = (f.fee_rate, f.holding_rate, f.rebalancing_rate)
    assert rates == pytest.approx(tuple(money / 100_000 * 12 for money in (120, 300, 200)))


def test_figures__fees_and_a_gain_over_holding__nothing_to_make_up_for() -> None:
    f = figures(run(impermanent_loss=money(5), rebalancing_loss=money(-1)))
    assert (f.holding_rate, f.rebalancing_rate) == (0, 0)


def test_report__no_range_at_all__says_nothing_of_them() -> None:
    bare = [hour(n, 1_000_000, ranges=(), liquidity=money(0), in_range=None) for n in range(3)]
    made = run(hours=tuple(bare), positions=())
    assert figures(made).in_range is None
    assert "What the ranges earned" not in report.render_html(made)
    assert "loss versus rebalancing" not in [name for section in report.sections(made) for name, _ in section]


def test_render_table__a_run__tells_the_figures() -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(report.render_table(run()))
    said = console.export_text()
    for part in (
        "1,010,000 (+1.00%)",
        "+20,000",
        "1 of 2 cycles (50.0%)",
        "at worst 1 wei",
        "2 sent (0 failed)",
        "1.4400% of that",
    ):
        assert part in said
    assert "exact; dust left by rounding, in smallest units: USDC 2 (bound 5)" in said


def test_render_json__a_run__same_figures_as_the_table() -> None:
    said = json.loads(report.render_json(run()))
    assert said["summary"]["vault"] == "1010000"
    assert said["summary"]["off_wei"] == 1
    assert said["accounting_exact"] is True
    assert len(said["hours"]) == 3


def test_render_html__a_run__fetches_nothing_and_escapes() -> None:
    page = report.render_html(run())
    links = Links()
    links.feed(page)
    assert links.found == []
    assert not re.search(r"url\(|@import|https?://", page)
    assert "WETH is &lt;too&gt; heavy" in page
    # value and difference, a weight per token, the range's pair and WBTC's price, fees and losses, one range
    assert page.count("<svg") == 2 + 3 + 2 + 1 + 1
    assert "entered at 3,000" in page


def test_render_html__no_bundle_and_real_prices__says_so() -> None:
    page = report.render_html(run(bundles=(), refusals=(), made_up=False))
    assert "no weight left its band" in page
    assert "These prices are made up" not in page


@pytest.mark.parametrize(
    "wrong",
    [
        token(redeemable=101, paid=101),  # promised more than there is
        token(redeemable=94),  # more is missing than rounding explains
        token(paid=97),  # paid less than promised
        token(paid=101),  # paid more than there was
    ],
)
def test_exact__a_token_that_does_not_add_up__is_not(wrong: TokenAccount) -> None:
    assert token().exact
    assert not wrong.exact
    shares = ShareAccount(100, (("founder", 100),), (token(), wrong))
    assert not shares.exact


def test_exact__shares_that_do_not_add_up__are_not() -> None:
    assert not ShareAccount(101, (("founder", 100),), (token(),)).exact
