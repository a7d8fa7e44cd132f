"""The vault's gas by phase beside the floor's, and its largest items with an idea of how to save each."""

from collections import Counter

from bench.contracts import floor, vault
from bench.contracts.jobs import JOBS, TRADES, Job, run
from bench.contracts.scene import Scene, aside
from bench.contracts.trace import POOL_CALLS, Item, Spent, spent

PROFILED = ("move", "swap_v3", "mint_later", "redeem_half")
SINGLE = ("swap_v3", "swap_v2", "add_v2", "remove_v2")
MOST_ITEMS = 10
GUARDS = (  # phase, and a function on the way to it; the first that fits
    ("guard: feeds", "bundle._open"),
    ("guard: spot and mean", "oracle._assert_near"),
    ("guard: fair prices", "oracle._fair"),
    ("guard: corridors", "bundle._outside"),
    ("guard: limits and buckets", "budget."),
    ("guard: holdings before", "bundle._measure"),
    ("guard: holdings after", "bundle._settle"),
)
REST = (
    ("unwinding", "venues._unwind"),
    ("holdings at spot", "portfolio._book"),
    ("actions, our own part", "venues."),
    ("shares", "share."),
    ("shares", "fee."),
    ("idle amounts", "portfolio."),
    ("words", "registry."),
)
POOLS = "pool calls and transfers"
IDEAS = {  # by function and what it spends gas on
    (
        "oracle._price",
        "latestRoundData",
    ): "two accounts and four slots a token, all cold: only tokens touched are asked",
    ("pools._observation", "observations"): "the hinted observation and the newest: two slots",
    ("pools._outside", "ticks"): "four slots a tick, of which fees need two",
    ("pools._held", "positions"): "four slots; liquidity alone would be one, but the pool has no such view",
    ("registry._token", "storage"): "rules could stand in one data contract: one copy instead of a slot a word",
    ("registry._feed", "storage"): "rules could stand in one data contract: one copy instead of a slot a word",
    ("registry._pool", "storage"): "rules could stand in one data contract: one copy instead of a slot a word",
}


async def profiles(scene: Scene) -> list[tuple[str, list[dict[str, object]]]]:
    """Titles and rows: phases and largest items of some jobs, then single actions without their guards; own ticks."""
    found = []
    jobs = {job.key: job for job in JOBS}
    for key in PROFILED:
        ours, bare = await _both(scene, jobs[key])
        found.append((f"{jobs[key].title}: gas by phase, own ticks", _phases(ours, bare)))
        found.append((f"{jobs[key].title}: the largest items above the floor", _largest(ours, bare)))
    singles = [_without_guards(jobs[key], *await _both(scene, jobs[key])) for key in SINGLE]
    return [*found, ("Single actions before guards: as if the guards had not warmed the pool for them", singles)]


async def _both(scene: Scene, job: Job) -> tuple[Spent, Spent]:
    """What the vault and the floor spend on a job."""
    found = []
    for holder, address in ((vault, scene.vault), (floor, scene.floor)):
        async with aside(scene.rpc):
            await holder.prepare(scene, job)
            await scene.trade(TRADES)
            (step,) = await holder.plan(scene, job)
            async with aside(scene.rpc):
                total = await run(scene, [step])
            found.append(await spent(scene, step, address, total))
    ours, bare = found
    return ours, bare


def _phase(item: Item, floor_calls: frozenset[str]) -> str:
    if item.what in floor_calls:
        return POOLS
    for phase, function in GUARDS + REST:
        if any(each.startswith(function) for each in item.path):
            return phase
    return "entry: arguments, loop, locks"


def _floor_calls(bare: Spent) -> frozenset[str]:
    """Calls that the floor makes too."""
    return POOL_CALLS & {item.what for item in bare.items}


def _by_phase(found: Spent, floor_calls: frozenset[str]) -> Counter[str]:
    phases: Counter[str] = Counter({"intrinsic: 21,000 and calldata": found.intrinsic, "refund": -found.refund})
    for item, gas in found.items.items():
        phases[_phase(item, floor_calls)] += gas
    return phases


def _phases(ours: Spent, bare: Spent) -> list[dict[str, object]]:
    mine, theirs = (_by_phase(each, _floor_calls(bare)) for each in (ours, bare))
    rows: list[dict[str, object]] = [
        {"phase": phase, "vault": mine[phase], "floor": theirs[phase], "above": mine[phase] - theirs[phase]}
        for phase in sorted({*mine, *theirs}, key=lambda each: theirs[each] - mine[each])
    ]
    return [*rows, {"phase": "all", "vault": ours.total, "floor": bare.total, "above": ours.total - bare.total}]


def _largest(ours: Spent, bare: Spent) -> list[dict[str, object]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for item, gas in ours.items.items():
        phase = _phase(item, _floor_calls(bare))
        if phase != POOLS:
            sums[phase, item.path[-1] if item.path else "", item.what] += gas
    return [
        {
            "gas": gas,
            "phase": phase,
            "function": function or "(external)",
            "what": what,
            "idea": IDEAS.get((function, what), "-"),
        }
        for (phase, function, what), gas in sums.most_common(MOST_ITEMS)
    ]


def _without_guards(job: Job, ours: Spent, bare: Spent) -> dict[str, object]:
    """The floor's pool calls, and our own part but for the guards."""
    mine, theirs = (_by_phase(each, _floor_calls(bare)) for each in (ours, bare))
    guards = sum(gas for phase, gas in mine.items() if phase.startswith("guard"))
    before = ours.total - guards - mine[POOLS] + theirs[POOLS]
    target = bare.total * 102 // 100
    return {
        "operation": job.title,
        "floor": bare.total,
        "before guards": before,
        "target": target,
        "above target": before - target,
        "guards": guards,
        "warmed by guards": theirs[POOLS] - mine[POOLS],
    }
