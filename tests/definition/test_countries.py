"""The codes of countries."""

from itertools import product
from string import ascii_uppercase

from equipoise.definition.countries import alpha_2, alpha_3


def test_spec_a_country_has_its_code_of_three_letters_and_what_is_none_stays() -> None:
    assert [alpha_3(code) for code in ("SE", "IT", "CH", "NZ")] == ["SWE", "ITA", "CHE", "NZL"]
    assert alpha_3("XX") == "XX"


def test_spec_all_249_countries_have_one_code_of_two_and_one_of_three_letters() -> None:
    written = ("".join(pair) for pair in product(ascii_uppercase, repeat=2))
    codes = {two: three for two in written if (three := alpha_3(two)) != two}
    assert len(codes) == len({*codes.values()}) == 249
    assert all(len(three) == 3 for three in codes.values())
    assert all(alpha_2(two) == alpha_2(three) == two for two, three in codes.items())
    assert (alpha_2("CHE"), alpha_2("XX"), alpha_2("")) == ("CH", None, None)
