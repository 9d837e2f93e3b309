"""Writes the metadata of an ODM file as the trees of a study folder: a draft of what the file says.

What ODM says and a study folder does not hold, or says in another system's language, is noted with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from equipoise.definition.expression import ExpressionError, Node, Not, PartialDate, parse_text, to_raw
from equipoise.definition.expression.unparse import quoted
from equipoise.exchange.identifiers import Identifiers
from equipoise.exchange.markup import DEPTH_MAX
from equipoise.exchange.odm.draft import Draft, Tree
from equipoise.exchange.odm.languages import Languages
from equipoise.exchange.odm.metadata import EventDef, Expression, GroupDef, ItemDef, Metadata, RangeCheck, Ref
from equipoise.exchange.odm.names import GENERATED, SYSTEM, VARIABLES, tail
from equipoise.exchange.odm.read_metadata import first_text
from equipoise.exchange.odm.stream import ELEMENTS_MAX
from equipoise.exchange.unreadable import FileUnreadable

_TYPES: Final = {
    "integer": "integer",
    "float": "decimal",
    "double": "decimal",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "partialDate": "partial_date",
    "incompleteDate": "partial_date",
    "datetime": "datetime",
    "text": "text",
    "string": "text",
}
"""The type of an item for each data type of ODM; any other is kept as a text."""

_SIGNS: Final = {"LT": "<", "LE": "<=", "GT": ">", "GE": ">=", "EQ": "=", "NE": "!="}
_WORDS: Final = {
    "LT": "below",
    "LE": "at most",
    "GT": "above",
    "GE": "at least",
    "EQ": "equal to",
    "NE": "other than",
    "IN": "one of",
    "NOTIN": "none of",
}


def draft_of(metadata: Metadata, *, file: str, own: bool) -> Draft:
    """Return the study, its schedule and its forms as a file's metadata give them.

    Raises FileUnreadable (ODM-TOO-MANY) where groups nest too deeply, or forms that share them grow too
    large.
    """
    tags = Counter(tag for item in metadata.items.values() for tag in item.question)
    language = metadata.own.get("language") or next((tag for tag, _ in tags.most_common() if tag), "")
    refs = (ref for group in metadata.groups.values() for ref in group.refs)
    units = {ref.oid: ref.preset for ref in refs if ref.preset is not None}
    draft = Draft(metadata=metadata, file=file, own=own, languages=Languages(language), units=units)
    _add_study(draft)
    _read_formals(draft)
    for group in _forms(draft):
        _FormReader(draft, group).read()
    _add_schedule(draft)
    for tag, tree in draft.languages.trees.items():
        draft.parts[f"languages/{tag}.yaml"] = tree
    for tag in draft.languages.unknown:
        draft.note("TranslatedText", 0, f'texts in the language "{tag}", which is not the tag of one')
    return draft


def _add_study(draft: Draft) -> None:
    metadata, study = draft.metadata, draft.part("study.yaml")
    oid = metadata.study if draft.own else tail(metadata.study)
    study["id"] = draft.names("study").new(oid, words=metadata.name)
    study["version"] = metadata.version.strip() or "draft"
    study["title"] = draft.languages.say(("title",), metadata.title) or metadata.name
    if metadata.description and metadata.description != metadata.name:
        study["official_title"] = metadata.description
    if draft.own:
        study |= {name: metadata.own[name] for name in ("acronym", "language") if name in metadata.own}
        return
    if draft.languages.main:
        study["language"] = draft.languages.main
    if metadata.protocol and metadata.protocol != metadata.name:
        study["identifiers"] = [{"registry": "Sponsor", "value": metadata.protocol}]


def _read_formals(draft: Draft) -> None:
    """Read the conditions and methods in our own language; other conditions are noted where they are used."""
    for condition in draft.metadata.conditions.values():
        node = _parsed(condition.expressions)
        if node is not None:
            draft.conditions[condition.oid] = node
    for method in draft.metadata.methods.values():
        node = _parsed(method.expressions)
        part = next((name for name, prefix in VARIABLES.items() if method.oid.startswith(prefix)), None)
        if node is None or part is None:
            words = [*method.text.values(), *(each.code for each in method.expressions)]
            draft.note(f"MethodDef[{method.oid}]", method.line, "; ".join([method.name, *words]))
            continue
        variables = draft.part(f"{part}.yaml").setdefault("variables", {})
        variables[method.oid.removeprefix(VARIABLES[part])] = method.expressions[0].code


def _parsed(expressions: tuple[Expression, ...]) -> Node | None:
    """Return the expression in our own language, None if there is none or it is not one."""
    for each in expressions:
        if (each.context or "").partition(":")[0] == SYSTEM:
            try:
                return parse_text(each.code)
            except ExpressionError:
                return None
    return None


def _forms(draft: Draft) -> list[GroupDef]:
    """Return the forms: what is called so or stands at an event, else every group that stands alone."""
    groups = draft.metadata.groups
    at_events = {ref.oid for event in draft.metadata.events.values() for ref in event.refs}
    inside = {ref.oid for group in groups.values() for ref in group.refs}
    found = [group for group in groups.values() if group.kind == "form" or group.oid in at_events]
    found = found or [group for group in groups.values() if group.oid not in inside]
    return [group for group in found if not draft.is_generated(group.oid)]


@dataclass(frozen=True, slots=True)
class _Asked:
    ref: Ref
    item: ItemDef


class _FormReader:
    """Writes one form; a repeating group among others in it becomes a form of its own."""

    def __init__(self, draft: Draft, group: GroupDef) -> None:
        self.draft = draft
        self.group = group

    def read(self) -> None:
        draft, group = self.draft, self.group
        draft.used.add(group.oid)
        form = draft.form_names.new(tail(group.oid), words=group.name)
        forms = draft.forms[group.oid] = [form]
        repeating = group.repeating
        refs = dict.fromkeys(ref.oid for ref in group.refs if not draft.is_generated(ref.oid))
        inside = [draft.metadata.groups[oid] for oid in refs if oid in draft.metadata.groups]
        if len(inside) == len(refs) == 1:
            repeating = repeating or inside[0].repeating
            apart: list[GroupDef] = []
        else:
            apart = [each for each in inside if each.repeating]
        asked = list(self._asked(group, {each.oid for each in apart}, {group.oid}))
        if asked or not apart:
            self._write(form, group, asked, repeating)
        for each in apart:
            name = draft.form_names.new(f"{form}_{tail(each.oid)}", words=f"{form} {each.name}")
            forms.append(name)
            self._write(name, each, list(self._asked(each, set(), {group.oid, each.oid})), True)

    def _asked(self, group: GroupDef, apart: set[str], seen: set[str], depth: int = 1) -> Iterator[_Asked]:
        """Yield the items of a group and of those in it; a form has each group once."""
        metadata = self.draft.metadata
        units = {ref.units_item for ref in group.refs if ref.units_item is not None}
        for ref in group.refs:
            self._check_size(ref, depth)
            if ref.oid in metadata.items:
                # What holds the unit of another item, and is preset, is not asked.
                self.draft.used.add(ref.oid)
                if ref.oid not in units or ref.preset is None:
                    yield _Asked(ref, metadata.items[ref.oid])
            elif ref.oid in seen:
                text = f"stands once more in {self.group.name or self.group.oid}: a form has a group once"
                self.draft.note(f"ItemGroupRef[{ref.oid}]", ref.line, text)
            elif ref.oid not in apart and not self.draft.is_generated(ref.oid):
                seen.add(ref.oid)
                below = metadata.groups[ref.oid]
                self.draft.used.add(ref.oid)
                if ref.condition is not None:
                    self.draft.note_condition("ItemGroupRef", ref)
                title = first_text(below.title, self.draft.languages.main) or below.name
                if not self.draft.own and title not in ("", self.group.name) and len(group.refs) > 1:
                    path = f"ItemGroupDef[{below.oid}]"
                    self.draft.note(path, below.line, f'section "{title}" of {group.name or group.oid}')
                yield from self._asked(below, set(), seen, depth + 1)

    def _check_size(self, ref: Ref, depth: int) -> None:
        draft = self.draft
        draft.asked += 1
        if depth > DEPTH_MAX + 1 or draft.asked > ELEMENTS_MAX:
            raise FileUnreadable(
                "ODM-TOO-MANY",
                f"In the file {draft.file} groups stand within groups more than {DEPTH_MAX} levels deep, or "
                f"forms that share groups have more than {ELEMENTS_MAX} items. Export fewer forms at a time.",
                f"line {ref.line}",
            )

    def _write(self, form: str, group: GroupDef, asked: list[_Asked], repeating: bool) -> None:
        draft = self.draft
        title = draft.title(("forms", form, "title"), "FormDef", group)
        tree: Tree = {"id": form, "title": title or form}
        draft.used.add(group.oid)
        own = group.own
        repeating = own.get("repeating") == "true" if draft.own else repeating
        tree |= {"repeating": True} if repeating else {}
        tree |= {name: True for name in ("log", "unmasking", "retired") if own.get(name) == "true"}
        tree |= {name: own[name] for name in ("dated_by", "source", "source_verification") if name in own}
        tree |= {"filled_by": own["filled_by"].split()} if "filled_by" in own else {}
        writer = _ItemWriter(draft, form)
        tree["items"] = [writer.write(each, draft.units.get(each.ref.units_item or "")) for each in asked]
        for each, item in zip(asked, tree["items"], strict=True):
            draft.columns.setdefault((self.group.oid, each.item.oid), (form, item["id"]))
        if writer.checks:
            tree["checks"] = writer.checks
        draft.parts[f"forms/{form}.yaml"] = tree


class _ItemWriter:
    """Writes the items of one form, and the edit checks that stand at them."""

    def __init__(self, draft: Draft, form: str) -> None:
        self.draft = draft
        self.form = form
        self.checks: list[Tree] = []
        self._items = draft.names("item")
        self._checks = draft.names("check")

    def write(self, asked: _Asked, unit: str | None) -> Tree:
        """Return the tree of an item."""
        draft, item = self.draft, asked.item
        # A name may be a word of the language of expressions only where the folder wrote it itself.
        name = item.name if draft.own else self._items.new(item.name, tail(item.oid), words=item.name)
        place = ("forms", self.form, "items", name)
        label = draft.languages.say((*place, "label"), item.question)
        tree: Tree = {"id": name, "label": label or item.name or name, "type": self._type(item)}
        units = [*item.units, *([unit] if unit else [])]
        if units:
            tree["unit"] = units[0]
        for other in units[1:]:
            self._note(item, f'the further unit "{other}"')
        if item.code_list is not None:
            self._add_codes(tree, item, place)
        self._add_checks(tree, item)
        tree |= {name: item.own[name] for name in ("step", "coded_with") if name in item.own}
        tree |= {} if asked.ref.mandatory else {"required": False}
        marks = ("unmasking", "critical", "retired")
        tree |= {name: True for name in marks if item.own.get(name) == "true"}
        self._add_condition(tree, asked)
        help_text = draft.languages.say((*place, "help"), item.help)
        tree |= {"help": help_text} if help_text else {}
        return tree

    def _note(self, item: ItemDef, text: str, line: int = 0) -> None:
        self.draft.note(f"ItemDef[{item.oid}]", line or item.line, text)

    def _type(self, item: ItemDef) -> str:
        if "type" in item.own:
            return item.own["type"]
        if item.type not in _TYPES:
            self._note(item, f"the data type {item.type}, kept as a text")
        return _TYPES.get(item.type, "text")

    def _add_codes(self, tree: Tree, item: ItemDef, place: tuple[str, ...]) -> None:
        codes = self.draft.metadata.code_lists[item.code_list or ""]
        self.draft.used.add(codes.oid)
        if codes.external is not None:
            self._note(item, f'the codes of the dictionary "{codes.external or codes.name}", kept as a text')
        found = []
        for term in codes.terms:
            value = term.value.strip()
            if not value:
                self._note(item, f"a code without a value in {codes.oid}")
                continue
            label = self.draft.languages.say((*place, "codes", value), term.decode)
            retired = {"retired": True} if term.own.get("retired") == "true" else {}
            found.append({"code": value, "label": label or value} | retired)
        if found:
            tree |= {"type": "choice", "codes": found}

    def _add_condition(self, tree: Tree, asked: _Asked) -> None:
        oid = asked.ref.condition
        if oid is None:
            return
        node = self.draft.conditions.get(oid)
        if node is not None:
            # ODM says when an item is not asked, a study folder when it is.
            tree["when"] = to_raw(node.operand if isinstance(node, Not) else Not(node))
            return
        self.draft.note_condition("ItemRef", asked.ref)

    # -- range checks

    def _add_checks(self, tree: Tree, item: ItemDef) -> None:
        for check in item.checks:
            if check.unit is not None and check.unit != tree.get("unit"):
                values = ", ".join(check.values)
                self._note(item, f"the check {check.comparator} {values} in {check.unit}", check.line)
            elif check.expressions:
                self._add_expression(item, check)
            elif not self._add_limit(tree, check):
                self._add_comparison(tree, item, check)

    def _add_expression(self, item: ItemDef, check: RangeCheck) -> None:
        node = _parsed(check.expressions)
        name = (check.expressions[0].context or "").partition(":")[2]
        if node is None or not name:
            words = [*check.message.values(), *(each.code for each in check.expressions)]
            self._note(item, f"the check {'; '.join(words)}", check.line)
            return
        self._add_check(name, to_raw(node), check, "")

    def _add_limit(self, tree: Tree, check: RangeCheck) -> bool:
        """Write a check that refuses what is out of range as a limit of the item, where it can be one."""
        key = {"GE": "minimum", "LE": "maximum"}.get(check.comparator or "")
        if key is None or key in tree or not check.hard or tree["type"] not in ("integer", "decimal"):
            return False
        number = _number(check.values[0]) if len(check.values) == 1 else None
        if number is None:
            return False
        tree[key] = int(number) if number == int(number) else format(number, "f")
        return True

    def _add_comparison(self, tree: Tree, item: ItemDef, check: RangeCheck) -> None:
        constants = [_constant(tree["type"], value) for value in check.values]
        sign = check.comparator or ""
        name = f"{self.form}.{tree['id']}"
        known = [each for each in constants if each is not None]
        rule = None
        if len(known) == len(constants) == 1 and sign in _SIGNS:
            rule = f"{name} {_SIGNS[sign]} {known[0]}"
        elif known and len(known) == len(constants) and sign in ("IN", "NOTIN"):
            rule = f"{'not ' if sign == 'NOTIN' else ''}{name} in ({', '.join(known)})"
        listed = ", ".join(check.values)
        if rule is None:
            self._note(item, f"the check {sign} {listed}".rstrip(), check.line)
            return
        identifier = self._checks.new(f"{tree['id']}_{sign.lower()}")
        self._add_check(identifier, rule, check, f"{tree['label']}: expected {_WORDS[sign]} {listed}.")

    def _add_check(self, name: str, rule: object, check: RangeCheck, otherwise: str) -> None:
        place = ("forms", self.form, "checks", name)
        message = self.draft.languages.say(place, check.message) or otherwise
        tree: Tree = {"id": name, "holds": rule, "message": message or name}
        self.checks.append({**tree, "severity": "hard"} if check.hard else tree)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= 30 else None


def _constant(kind: str, text: str) -> str | None:
    """Return a value as expressions write it, None where it is no value of the type."""
    if kind in ("integer", "decimal"):
        number = _number(text)
        return None if number is None else format(number, "f")
    if kind in ("text", "choice"):
        return quoted(text)
    if kind == "boolean":
        return {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text)
    try:
        day = PartialDate.parse(text)
    except ValueError:
        return None
    return f"date '{day}'" if day.exact else None


# -- the schedule


def _add_schedule(draft: Draft) -> None:
    schedule = draft.part("schedule.yaml")
    encounters: list[Tree] = []
    activities: dict[str, list[str]] = {}
    names, epochs = draft.names("encounter"), draft.names("epoch")
    known: dict[str, str] = {}
    for event in draft.metadata.events.values():
        if draft.own and event.oid.startswith(f"SE.{GENERATED}") and "forms" not in event.own:
            continue
        if event.type == "Unscheduled" or _is_log(draft, event):
            key = "unscheduled" if event.type == "Unscheduled" else "logs"
            listed = event.own.get("forms", "").split() if draft.own else _forms_at(draft, event)
            schedule[key] = [*dict.fromkeys([*schedule.get(key, ()), *listed])]
            continue
        if event.repeating:
            draft.note(f"StudyEventDef[{event.oid}]", event.line, "may take place several times")
        name = names.new(tail(event.oid), words=event.name)
        tree: Tree = {"id": name, "name": draft.title(("encounters", name), "StudyEventDef", event) or name}
        tree |= _timing(event, known, epochs)
        encounters.append(tree)
        for form in _forms_at(draft, event):
            activities.setdefault(form, []).append(name)
    if encounters:
        schedule["encounters"] = encounters
        schedule["activities"] = [
            {
                "id": form,
                "name": draft.parts[f"forms/{form}.yaml"]["title"],
                "forms": [form],
                "encounters": at,
            }
            for form, at in activities.items()
        ]
    if known and "epochs" not in draft.part("study.yaml"):
        draft.part("study.yaml")["epochs"] = [{"id": each, "name": text} for text, each in known.items()]
    draft.parts = {name: tree for name, tree in draft.parts.items() if tree}


def _is_log(draft: Draft, event: EventDef) -> bool:
    """Whether an event holds what is filled in at any time: systems call planned visits Common, too."""
    if event.type != "Common" or draft.own:
        return event.type == "Common"
    forms = [draft.parts[f"forms/{form}.yaml"] for form in _forms_at(draft, event)]
    if event.repeating:
        for form in forms:
            form["repeating"] = True
    return bool(forms) and all(form.get("repeating") for form in forms)


def _timing(event: EventDef, known: dict[str, str], epochs: Identifiers) -> Tree:
    tree: Tree = {}
    if "epoch" in event.own:
        tree["epoch"] = event.own["epoch"]
        known.setdefault(event.category or tree["epoch"], tree["epoch"])
    elif event.category is not None:
        tree["epoch"] = known.setdefault(event.category, "") or epochs.new(
            event.category, words=event.category
        )
        known[event.category] = tree["epoch"]
    for key in ("day", "early_days", "late_days"):
        if key in event.own and (number := _number(event.own[key])) is not None:
            tree[key] = int(number)
    tree |= {"retired": True} if event.own.get("retired") == "true" else {}
    return tree | ({"anchor": event.own["anchor"]} if "anchor" in event.own else {})


def _forms_at(draft: Draft, event: EventDef) -> list[str]:
    """Return the forms of an event; a file with data lists further ones, which are not planned."""
    found = []
    for ref in event.refs:
        if draft.is_generated(ref.oid) or (draft.own and not ref.mandatory):
            continue
        if ref.condition is not None:
            draft.note_condition("FormRef", ref)
        forms = draft.forms.get(ref.oid, ())
        found += [form for form in forms if f"forms/{form}.yaml" in draft.parts]
    return list(dict.fromkeys(found))
