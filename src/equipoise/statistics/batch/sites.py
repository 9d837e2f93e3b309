"""Trials at several sites: a group of rows for each site and arm, and what each trial's model can hold."""

from __future__ import annotations

import numpy as np

from .block import (
    COUNT,
    DROPPED,
    EVENT_LEAST,
    EVENT_MOST,
    LEAST,
    LOOK,
    LOOK_N,
    LOOK_S,
    MOST,
    S_FITTED,
    S_NO_EVENTS,
    S_NO_EVENTS_ARM,
    S_RANK,
    S_SEPARATED,
    SPREAD_LEAST,
    Block,
    look_at_group,
)
from .compile import LANES, compiled
from .kernel import COEFFICIENTS, EVENTS, PARTICIPANTS, SQUARES
from .pack import Data, Desk, add_tails, clear_lane
from .passes import ROW, Floats, Wholes
from .solve import COVARIATE, TREATMENT


@compiled
def rank_sites(treated: Floats, sites: Wholes, sizes: Wholes, ranks: Wholes) -> int:
    """Rank a trial's sites by their participants, the largest first; return how many have any.

    Side by side trials then have sites of like sizes, and little is padded. sizes: by site and arm, twice the
    length of ranks; both are written.
    """
    sizes[:] = 0
    for i in range(sites.shape[0]):
        sizes[2 * sites[i] + int(treated[i])] += 1
    used = 0
    for site in range(ranks.shape[0]):
        size, rank = sizes[2 * site] + sizes[2 * site + 1], 0
        used += size > 0
        for other in range(site):
            larger = sizes[2 * other] + sizes[2 * other + 1] < size
            ranks[other] += larger
            rank += not larger
        ranks[site] = rank
    return used


@compiled
def measure_sites(treated: Floats, sites: Wholes, labels: int) -> tuple[int, int, int]:
    """Return how many sites a trial has at most, how many rows a block needs at most, and the first trial
    without a site that has both arms, or -1.
    """
    trials = max(treated.shape[0], sites.shape[0])
    sizes, ranks = np.zeros(2 * labels, np.int64), np.zeros(labels, np.int64)
    largest, sites_most, apart = np.zeros(2 * labels, np.int64), 0, -1
    for trial in range(trials):
        arm = treated[trial if treated.shape[0] > 1 else 0]
        used = rank_sites(arm, sites[trial if sites.shape[0] > 1 else 0], sizes, ranks)
        sites_most = max(sites_most, used)
        both = False
        for site in range(labels):
            both = both or (sizes[2 * site] > 0 and sizes[2 * site + 1] > 0)
            for a in range(2):
                place = 2 * ranks[site] + a
                largest[place] = max(largest[place], sizes[2 * site + a])
        if not both and apart < 0:
            apart = trial
    return sites_most, int(largest.sum()), apart


@compiled
def pack_sites(block: Block, data: Data, desk: Desk, base: int, lanes: int) -> None:
    """Put the trials from `base` on into the lanes, a row for each participant, by site and arm."""
    groups, labels = block.bounds.shape[0] - 1, desk.ranks.shape[0] // LANES
    bounds, ends, width = block.bounds, desk.ends, 2 * labels
    bounds[:] = 0
    for lane in range(lanes):
        trial = base + lane
        treated = data.treated[trial if data.treated.shape[0] > 1 else 0]
        sites = data.sites[trial if data.sites.shape[0] > 1 else 0]
        sizes, ranks = (
            ends[lane * width : (lane + 1) * width],
            desk.ranks[lane * labels : (lane + 1) * labels],
        )
        rank_sites(treated, sites, sizes, ranks)
        for site in range(labels):
            for arm in range(2):
                if sizes[2 * site + arm] > 0:
                    place = 2 * ranks[site] + arm + 1
                    bounds[place] = max(bounds[place], sizes[2 * site + arm])
    for group in range(groups):
        bounds[group + 1] += bounds[group]
    # Rows of before that no participant will take.
    block.rows[: bounds[groups] * ROW] = 0.0
    block.state[COUNT] = 0
    for lane in range(lanes):
        trial, most = base + lane, 0
        treated = data.treated[trial if data.treated.shape[0] > 1 else 0]
        sites = data.sites[trial if data.sites.shape[0] > 1 else 0]
        x = data.x[trial if data.x.shape[0] > 1 else 0]
        offset = data.offset[trial if data.offset.shape[0] > 1 else 0]
        y = data.y[trial]
        free, ranks = ends[lane * width : (lane + 1) * width], desk.ranks[lane * labels : (lane + 1) * labels]
        free[:groups] = bounds[:groups]
        for i in range(y.shape[0]):
            group = 2 * ranks[sites[i]] + int(treated[i])
            place = free[group] * ROW + lane
            free[group] += 1
            block.rows[place], block.rows[place + LANES] = 1.0, y[i]
            block.rows[place + 2 * LANES], block.rows[place + 3 * LANES] = x[i], offset[i]
            count = int(y[i])
            desk.seen[count] += 1
            most = max(most, count)
        add_tails(block, lane, desk.seen, most)
        block.state[COUNT] = max(block.state[COUNT], most)
    for lane in range(lanes, LANES):
        clear_lane(block, lane)
    for lane in range(LANES):
        for j in range(int(block.filled[2 * LANES + lane]), block.state[COUNT]):
            block.tails[j * LANES + lane] = 0.0


@compiled
def drop_group(rows: Floats, bounds: Wholes, group: int, lane: int) -> None:
    """Take a group's participants, who have no events, out of the rows."""
    for row in range(bounds[group], bounds[group + 1]):
        rows[row * ROW + lane] = 0.0


@compiled
def merge_looks(looks: Floats, site: int, last: int, lane: int, aside: int) -> None:
    """Look at both arms of a site together, or at one where the arm `aside` (or 2) is left out of sites that
    have both; put what is seen to the place `last`.
    """
    one, into = 2 * site * LOOK + lane, last * LOOK + lane
    both = looks[one + LOOK_N] > 0 and looks[one + LOOK + LOOK_N] > 0
    first = one + LOOK if both and aside == 0 else one
    second = one if both and aside == 1 else one + LOOK
    for field in (LEAST, EVENT_LEAST):
        looks[into + field] = min(looks[first + field], looks[second + field])
    for field in (MOST, EVENT_MOST):
        looks[into + field] = max(looks[first + field], looks[second + field])
    for field in (LOOK_N, LOOK_S):
        looks[into + field] = max(looks[first + field], looks[second + field])


@compiled
def judge_without_treatment(looks: Floats, sites: int, lane: int, aside: int) -> int:
    """Return what `block.judge_covariate` does, each site being a group.

    aside: the arm that is left out where there are both, or 2.
    """
    varies, events_vary, all_above, all_below = False, False, True, True
    for site in range(sites):
        merge_looks(looks, site, 2 * sites, lane, aside)
        at = 2 * sites * LOOK + lane
        if looks[at + LOOK_S] == 0:
            continue
        near = SPREAD_LEAST * max(1.0, abs(looks[at + MOST]))
        varies = varies or looks[at + MOST] - looks[at + LEAST] > near
        events_vary = events_vary or looks[at + EVENT_MOST] > looks[at + EVENT_LEAST]
        all_above = all_above and looks[at + LEAST] >= looks[at + EVENT_LEAST]
        all_below = all_below and looks[at + MOST] <= looks[at + EVENT_MOST]
    if not varies:
        return S_RANK
    return S_SEPARATED if not events_vary and (all_above or all_below) else S_FITTED


@compiled
def is_separated(looks: Floats, sites: int, lane: int, sign: float) -> bool:
    """Say whether the likelihood rises without end as the slope goes to `sign` times infinity.

    It does so along slope 1, treatment b and intercepts of the sites to match if all participants with events
    stay where they are and no others rise: each site bounds b, and some b must be left.
    """
    low, high = -np.inf, np.inf
    top_field, event_field, other_field = (MOST, EVENT_MOST, EVENT_LEAST)
    if sign < 0:
        top_field, event_field, other_field = (LEAST, EVENT_LEAST, EVENT_MOST)
    for site in range(sites):
        one = 2 * site * LOOK + lane
        two = one + LOOK
        for at in (one, two):
            unlike = looks[at + event_field] != looks[at + other_field]
            if looks[at + LOOK_S] > 0 and (unlike or looks[at + top_field] != looks[at + event_field]):
                return False
        # Where an arm has no events, what its participants bound is all that they do.
        if looks[one + LOOK_S] > 0 and looks[two + LOOK_N] > 0:
            high = min(high, sign * (looks[one + event_field] - looks[two + top_field]))
        if looks[two + LOOK_S] > 0 and looks[one + LOOK_N] > 0:
            low = max(low, sign * (looks[one + top_field] - looks[two + event_field]))
    return bool(low <= high + SPREAD_LEAST * max(1.0, abs(high)))


@compiled
def judge_with_treatment(looks: Floats, sites: int, lane: int) -> int:
    """Return S_FITTED, S_RANK where sites and treatment determine the covariate, or S_SEPARATED."""
    varies, least, most = False, np.inf, -np.inf
    for site in range(sites):
        one = 2 * site * LOOK + lane
        two = one + LOOK
        for at in (one, two):
            near = SPREAD_LEAST * max(1.0, abs(looks[at + MOST]))
            varies = varies or (looks[at + LOOK_N] > 0 and looks[at + MOST] - looks[at + LEAST] > near)
        if looks[one + LOOK_N] > 0 and looks[two + LOOK_N] > 0:
            apart = looks[two + MOST] - looks[one + MOST]
            least, most = min(least, apart), max(most, apart)
    if not (varies or most - least > SPREAD_LEAST * max(1.0, abs(most))):
        return S_RANK
    if is_separated(looks, sites, lane, 1.0) or is_separated(looks, sites, lane, -1.0):
        return S_SEPARATED
    return S_FITTED


@compiled
def survey(block: Block, sites: int, lane: int) -> tuple[int, float, float, float, float]:
    """Drop the sites without events; return how many are left, their participants and events, and the events
    of each arm in sites that have both.
    """
    looks, left, everyone, events = block.looks, 0, 0.0, 0.0
    reference, treated = 0.0, 0.0
    for site in range(sites):
        one = 2 * site * LOOK + lane
        two = one + LOOK
        here = looks[one + LOOK_S] + looks[two + LOOK_S]
        if here == 0:
            for group in range(2 * site, 2 * site + 2):
                drop_group(block.rows, block.bounds, group, lane)
                drop_group(block.reduced, block.bounds, group, lane)
                looks[group * LOOK + LOOK_N + lane] = 0.0
            continue
        left += 1
        everyone += looks[one + LOOK_N] + looks[two + LOOK_N]
        events += here
        if looks[one + LOOK_N] > 0 and looks[two + LOOK_N] > 0:
            reference += looks[one + LOOK_S]
            treated += looks[two + LOOK_S]
    return left, everyone, events, reference, treated


@compiled
def drop_arm(block: Block, sites: int, lane: int, arm: int) -> float:
    """Take an arm without events out of the reduced rows, at sites that have both; return how many went."""
    gone = 0.0
    for site in range(sites):
        one = 2 * site * LOOK + lane
        if block.looks[one + LOOK_N] > 0 and block.looks[one + LOOK + LOOK_N] > 0:
            drop_group(block.reduced, block.bounds, 2 * site + arm, lane)
            gone += block.looks[one + arm * LOOK + LOOK_N]
    return gone


@compiled
def describe_sites(block: Block, has_covariate: bool) -> None:
    """Decide what each trial's model can hold, as `block.describe` does where there is one site.

    A site without events adds nothing at the supremum of the likelihood, and is left out. Where no site with
    both arms has events, nothing is told of the treatment.
    """
    sites, looks, facts, null = (block.bounds.shape[0] - 1) // 2, block.looks, block.facts, block.null_facts
    last = block.bounds[2 * sites]
    for group in range(2 * sites):
        look = looks[group * LOOK : (group + 1) * LOOK]
        look_at_group(block.rows, block.bounds[group], block.bounds[group + 1], look)
    copied = False
    for lane in range(LANES):
        left, everyone, events, reference, treated = survey(block, sites, lane)
        none, one_arm = reference + treated == 0, reference == 0 or treated == 0
        arm = 2 if not one_arm else (0 if reference == 0 else 1)
        judged, judged_null = S_RANK, S_RANK
        if has_covariate and not none:
            judged = judge_without_treatment(looks, sites, lane, arm) if one_arm else S_RANK
            judged = judged if one_arm else judge_with_treatment(looks, sites, lane)
            judged_null = judge_without_treatment(looks, sites, lane, 2) if judged != S_RANK else S_RANK
        code = judged if has_covariate else S_FITTED
        code = S_NO_EVENTS_ARM if one_arm and code != S_SEPARATED else code
        block.code[lane] = S_NO_EVENTS if none else code
        block.side[lane] = 1.0 if reference == 0 else -1.0
        block.full.kept[TREATMENT + lane] = 0.0 if one_arm else 1.0
        block.full.kept[COVARIATE + lane] = 1.0 if judged == S_FITTED else 0.0
        block.null.kept[TREATMENT + lane] = 0.0
        block.null.kept[COVARIATE + lane] = 1.0 if judged_null == S_FITTED else 0.0
        null[PARTICIPANTS + lane] = facts[PARTICIPANTS + lane] = everyone
        # Of what is separated nothing is fitted.
        null[EVENTS + lane] = facts[EVENTS + lane] = 0.0 if none or code == S_SEPARATED else events
        null[SQUARES + lane] = facts[SQUARES + lane]
        null[COEFFICIENTS + lane] = left + block.null.kept[COVARIATE + lane]
        extra = block.full.kept[TREATMENT + lane] + block.full.kept[COVARIATE + lane]
        facts[COEFFICIENTS + lane] = left + extra
        if one_arm and not none:
            if not copied:
                block.reduced[: last * ROW] = block.rows[: last * ROW]
                copied = True
            facts[PARTICIPANTS + lane] -= drop_arm(block, sites, lane, arm)
    block.state[DROPPED] = copied


@compiled
def prepare_sites(block: Block, data: Data, desk: Desk, base: int, lanes: int, has_covariate: bool) -> None:
    """Put the trials from `base` on into the lanes, and decide what each one's model can hold."""
    pack_sites(block, data, desk, base, lanes)
    describe_sites(block, has_covariate)
