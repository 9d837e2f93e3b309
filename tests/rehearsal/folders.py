"""The studies that are rehearsed here, loaded once."""

from functools import cache
from pathlib import Path

from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.studies import study_folder

INVENTED = Path(__file__).parent.parent / "studies"
SCENARIO = {"mesems": "published"}
NAMES = ("tern", "dipper", "plover", "curlew", "wren")


@cache
def load(name: str) -> StudyDefinition:
    """Return a study by its folder's name."""
    folder = INVENTED / name if name in NAMES else study_folder(name)
    return load_study(folder).definition
