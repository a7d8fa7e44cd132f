"""How long one decision takes: `propose()` on three tokens, five pools and a range, beside its own parts."""

from bench.table import per_call, show, wants_json
from bot.decision.decide import decide
from bot.decision.standing import stand
from bot.planning.plan import plan
from bot.propose import propose
from tests.factories import memory, policy, snapshot

DRIFTED = ("300000", "166.6667", "2.2222222")


def main() -> None:
    """Print microseconds a call and calls a second."""
    rules = policy(ranges=[{"pool": "USDC/WETH-500", "share": 0.3}])
    idle, drifted = snapshot(), snapshot(DRIFTED)
    wish = decide(rules, memory(), drifted)
    cases = {
        "floor: measure weights, volatility, band": lambda: stand(rules, drifted),
        "propose(), nothing to do": lambda: propose(policy(), memory(), idle),
        "decide(), a bundle": lambda: decide(rules, memory(), drifted),
        "plan(), a bundle": lambda: plan(rules, wish, drifted),
        "propose(), a bundle": lambda: propose(rules, memory(), drifted),
    }
    rows: list[dict[str, object]] = []
    for name, work in cases.items():
        seconds = per_call(work)
        rows.append({"case": name, "microseconds": round(seconds * 1e6), "per second": round(1 / seconds)})
    show("One decision", rows, wants_json())


if __name__ == "__main__":
    main()
