"""The codes of countries."""

from equipoise.definition.countries import alpha_3


def test_spec_a_country_has_its_code_of_three_letters_and_what_is_none_stays() -> None:
    assert [alpha_3(code) for code in ("SE", "IT", "CH", "NZ")] == ["SWE", "ITA", "CHE", "NZL"]
    assert alpha_3("XX") == "XX"
