"""All cases, in the order in which they are run and reported."""

from bench.case import Case
from bench.cases import endurance, framework, idle, kill, memory, overload, stalls, throughput
from bench.experiments import (
    e1_blocked_worker,
    e2_async_lock,
    e3_gil,
    e4_overtaken,
    e5_forty_threads,
    e6_who_gets_it,
)

CASES: dict[str, Case] = {
    module.CASE.name: module.CASE
    for module in (
        throughput,
        framework,
        e1_blocked_worker,
        e2_async_lock,
        e3_gil,
        e4_overtaken,
        e5_forty_threads,
        e6_who_gets_it,
        overload,
        stalls,
        idle,
        memory,
        endurance,
        kill,
    )
}
