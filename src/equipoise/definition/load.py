"""Loading a study folder: read, validate, cross-check; every fault has its file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .findings import Finding, Problem, has_errors
from .lint import Rules, lint
from .lock import hashed
from .model.definition import StudyDefinition
from .model.fields import LANGUAGE_TAG_PATTERN
from .model.forms import Form
from .model.language import Language
from .source import PARTS, SourceFile, StudySource, read_folder
from .wording import odd_values, reword, type_at, value_at


@dataclass(frozen=True, slots=True)
class LoadedStudy:
    """A definition without errors, the warnings about it, and where each of its parts is written."""

    definition: StudyDefinition
    findings: tuple[Finding, ...]
    source: StudySource


class StudyInvalid(Exception):
    """The folder has errors; `findings` holds these and the warnings."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(finding.line() for finding in findings))
        self.findings = findings


def load_study(folder: Path) -> LoadedStudy:
    """Compile a study folder; raises StudyInvalid when there are errors."""
    definition, findings, source = _compile(folder)
    if definition is None:
        raise StudyInvalid(findings)
    return LoadedStudy(definition, findings, source)


def check_study(folder: Path, further: Rules = ()) -> tuple[StudyDefinition | None, tuple[Finding, ...]]:
    """Compile a study folder and say all that is wrong with it; no definition when there are errors.

    `further` are rules that need more than the definition knows, for a definition that has no errors else.
    """
    definition, findings, _ = _compile(folder, further)
    return definition, findings


def _compile(
    folder: Path, further: Rules = ()
) -> tuple[StudyDefinition | None, tuple[Finding, ...], StudySource]:
    source, read = read_folder(folder)
    findings = list(read)
    parts: dict[str, Any] = {}
    for name in PARTS:
        if f"{name}.yaml" in source.files:
            part, problems = read_part(source.files[f"{name}.yaml"], _part_type(name))
            findings += map(source.locate, problems)
            parts[name] = part
    forms: list[Form] = []
    for file in source.within("forms"):
        form, problems = read_part(file, Form)
        findings += map(source.locate, problems)
        if form is not None:
            findings += map(source.locate, _check_form_name(file, form))
            forms.append(form)
    languages: dict[str, Language] = {}
    for file in source.within("languages"):
        language, problems = read_part(file, Language)
        findings += map(source.locate, (*problems, *_check_language_name(file)))
        if language is not None:
            languages[_stem(file)] = language
    if has_errors(findings):
        return None, _sorted(findings), source
    definition = StudyDefinition(forms=tuple(forms), languages=languages, **parts)
    findings += map(source.locate, lint(definition))
    if not has_errors(findings):
        findings += [source.locate(problem) for rule in further for problem in rule(definition)]
    if has_errors(findings):
        return None, _sorted(findings), source
    return hashed(definition), _sorted(findings), source


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(set(findings), key=lambda f: (f.file, f.line_number or 0, f.code, f.sentence)))


def _part_type(name: str) -> type:
    kind: type = type_at(StudyDefinition, (name,))
    return kind


def _check_form_name(file: SourceFile, form: Form) -> Iterable[Problem]:
    if form.id != _stem(file):
        sentence = f"The form '{form.id}' stands in the file {file.name}. Call the file forms/{form.id}.yaml."
        yield Problem(code="FILE-NAME", sentence=sentence, file=file.name, place=("id",))


def _check_language_name(file: SourceFile) -> Iterable[Problem]:
    if not re.fullmatch(LANGUAGE_TAG_PATTERN, _stem(file)):
        sentence = (
            f"'{_stem(file)}' is not the tag of a language. Call the file by one, as in languages/sv.yaml or "
            "languages/pt-BR.yaml."
        )
        yield Problem(code="FILE-NAME", sentence=sentence, file=file.name)


def _stem(file: SourceFile) -> str:
    return file.name.partition("/")[2].removesuffix(".yaml")


@cache
def _adapter(owner: type) -> TypeAdapter[Any]:
    # Pydantic takes a configuration for a dataclass of the standard library only from around it.
    around: Any = owner | None
    return TypeAdapter(around, config=ConfigDict(extra="forbid", strict=True))


def read_part(file: SourceFile, owner: type) -> tuple[Any | None, list[Problem]]:
    """Validate the data of one file as an `owner`; None when there are problems."""
    try:
        return _validate(file, owner), list(odd_values(file, owner))
    except ValidationError as error:
        return None, [reword(found, file, owner) for found in error.errors(include_url=False)]


def _validate(file: SourceFile, owner: type) -> Any:
    """Validate; where words are wanted, a whole number is first taken as it is written."""
    adapter = _adapter(owner)
    try:
        return adapter.validate_json(json.dumps(file.data))
    except ValidationError as error:
        numbers = [
            found["loc"]
            for found in error.errors(include_url=False)
            if found["type"] == "string_type" and type(found["input"]) is int
        ]
        if not numbers:
            raise
    for *around, last in numbers:
        container: Any = value_at(file.data, tuple(around))
        container[last] = str(container[last])
    return adapter.validate_json(json.dumps(file.data))
