"""The study definition: everything a study folder says, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field

from equipoise.definition.model.analysis import Analysis
from equipoise.definition.model.conduct import Allocation, Imaging, Safety, Supply
from equipoise.definition.model.datasets import Datasets
from equipoise.definition.model.eligibility import Eligibility
from equipoise.definition.model.fields import LanguageTag
from equipoise.definition.model.forms import Form
from equipoise.definition.model.language import Language
from equipoise.definition.model.registry import Registry
from equipoise.definition.model.rehearsal import Rehearsal
from equipoise.definition.model.sample_size import SampleSize
from equipoise.definition.model.schedule import Schedule
from equipoise.definition.model.study import Arm, Role, Site, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDefinition:
    """What a study folder compiles to.

    `hash` is the SHA-256 of the canonical JSON of every part but `rehearsal`, which describes imagined
    people and
    binds nobody. The texts of other languages are part of it: what is read at a site was approved.
    """

    study: Study
    eligibility: Eligibility
    schedule: Schedule
    forms: tuple[Form, ...]
    allocation: Allocation
    analysis: Analysis
    sample_size: SampleSize | None = None
    safety: Safety | None = None
    imaging: Imaging | None = None
    supply: Supply = Supply()
    registry: Registry | None = None
    datasets: Datasets | None = None
    languages: dict[LanguageTag, Language] = field(default_factory=dict)
    rehearsal: Rehearsal | None = None
    hash: str = field(default="", compare=False)

    def form(self, form_id: str) -> Form | None:
        """Return the form of this name, or None."""
        for form in self.forms:
            if form.id == form_id:
                return form
        return None

    def arm(self, arm_id: str) -> Arm | None:
        """Return the arm of this name, or None."""
        return next((a for a in self.study.arms if a.id == arm_id), None)

    def site(self, site_id: str) -> Site | None:
        """Return the site of this name, or None."""
        return next((s for s in self.study.sites if s.id == site_id), None)

    def role(self, role_id: str) -> Role | None:
        """Return the role of this name, or None."""
        for role in self.study.roles:
            if role.id == role_id:
                return role
        return None

    def variant_of(self, site_id: str) -> str | None:
        """Return the variant of the rules that a site follows: its own, else that of its sub-trial."""
        site = self.site(site_id)
        if site is None:
            return None
        sub_trial = next((s for s in self.study.sub_trials if s.id == site.sub_trial), None)
        return site.variant or (sub_trial.variant if sub_trial else None)
