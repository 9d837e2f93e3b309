"""The sites' pages: recruitment against plan, drawn and in a table; a site sees its own."""

from datetime import date

from equipoise.conduct.view.lines import RecruitmentLine, SiteLine, SiteRecruitmentLine
from equipoise.web.clinic import Clinic
from equipoise.web.pages.recruitment import draw_recruitment, plan_of, site_bars
from tests.web.clinics import actor_of, browser_of


def recruitment(randomised: tuple[str, ...]) -> RecruitmentLine:
    site = SiteRecruitmentLine(
        site="SE01", activated_at="2024-01-01T08:00:00Z", consented_on=randomised, randomised_on=randomised
    )
    return RecruitmentLine(planned_enrolment=100, first_activated_at=site.activated_at, sites=(site,))


def points(text: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in (pair.split(",") for pair in text.split())]


def test_the_curve_rises_by_one_for_each_randomised(clinic: Clinic):
    plot = draw_recruitment(recruitment(("2024-02-01", "2024-03-01")), None, date(2024, 4, 1))
    assert plot is not None
    curve = points(plot.curve)
    assert [x for x, _ in curve] == sorted(x for x, _ in curve)
    heights = sorted({y for _, y in curve}, reverse=True)
    assert len(heights) == 3
    assert abs((heights[0] - heights[1]) - (heights[1] - heights[2])) <= 1
    assert plot.plan == ""


def test_the_plan_reaches_the_number_on_the_last_day_that_leaves_time_for_follow_up(clinic: Clinic):
    plan = plan_of(clinic.definition, recruitment(()))
    assert plan is None  # the first site was activated after the study's own primary completion
    earlier = clinic.trial.as_seen_by(actor_of(clinic, "monitor")).recruitment()
    plan = plan_of(clinic.definition, earlier)
    assert plan is not None
    assert (plan.enrolment, plan.first) == (144, date(2013, 2, 1))
    assert (date(2019, 5, 9) - plan.last).days == 336 + 7
    plot = draw_recruitment(earlier, plan, date(2020, 1, 1))
    assert plot is not None
    planned = points(plot.plan)
    assert planned[-1][1] == planned[-2][1]


def test_before_the_first_activation_nothing_is_drawn(clinic: Clinic):
    line = RecruitmentLine(planned_enrolment=100, first_activated_at=None, sites=())
    assert draw_recruitment(line, plan_of(clinic.definition, line), date(2024, 4, 1)) is None


def test_the_longest_bar_is_the_site_with_most_consents():
    counts = [(4, 2), (8, 1)]
    lines = [
        SiteLine(site=f"S{n}", status="active", consented=c, failed=0, randomised=r, withdrawn=0, completed=0)
        for n, (c, r) in enumerate(counts)
    ]
    first, second = site_bars(lines)
    assert second.consented_width == 2 * first.consented_width
    assert first.randomised_width == 2 * second.randomised_width


def test_spec_a_monitor_sees_all_sites_against_the_plan(clinic: Clinic):
    html = browser_of(actor_of(clinic, "monitor")).get("/sites/").content.decode()
    assert all(f'href="/sites/{site.id}/"' in html for site in clinic.definition.study.sites)
    assert 'class="planned"' in html


def test_spec_a_site_sees_its_own_recruitment_only(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    html = browser.get("/sites/").content.decode()
    assert "SE01" in html
    assert "IT01" not in html
    assert 'class="planned"' not in html
    assert browser.get("/sites/IT01/").status_code == 404


def test_a_sites_page_names_its_staff_and_the_administrator_may_close_it(clinic: Clinic):
    html = browser_of(actor_of(clinic, "administrator")).get("/sites/SE01/").content.decode()
    assert "The nurse at se01" in html
    assert "/do/close-site/?site=SE01" in html
    assert (
        "/do/close-site/" not in browser_of(actor_of(clinic, "monitor")).get("/sites/SE01/").content.decode()
    )


def test_a_reader_sees_no_sites(clinic: Clinic):
    assert browser_of(actor_of(clinic, "reader")).get("/sites/").status_code == 403
