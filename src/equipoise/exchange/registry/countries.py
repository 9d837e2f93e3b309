"""Countries as the registry names them: ISO 3166-1 alpha-2 codes, and time zones of those with one."""

from __future__ import annotations

from typing import Final

# Name, code, time zone; a country of several time zones has none here, for a person to choose.
_TABLE: Final = """
Argentina; AR; America/Argentina/Buenos_Aires
Armenia; AM; Asia/Yerevan
Australia; AU;
Austria; AT; Europe/Vienna
Bangladesh; BD; Asia/Dhaka
Belarus; BY; Europe/Minsk
Belgium; BE; Europe/Brussels
Bosnia and Herzegovina; BA; Europe/Sarajevo
Brazil; BR;
Bulgaria; BG; Europe/Sofia
Canada; CA;
Chile; CL;
China; CN; Asia/Shanghai
Colombia; CO; America/Bogota
Croatia; HR; Europe/Zagreb
Cyprus; CY; Asia/Nicosia
Czech Republic; CZ; Europe/Prague
Czechia; CZ; Europe/Prague
Denmark; DK; Europe/Copenhagen
Egypt; EG; Africa/Cairo
Estonia; EE; Europe/Tallinn
Ethiopia; ET; Africa/Addis_Ababa
Finland; FI; Europe/Helsinki
France; FR; Europe/Paris
Georgia; GE; Asia/Tbilisi
Germany; DE; Europe/Berlin
Ghana; GH; Africa/Accra
Greece; GR; Europe/Athens
Guatemala; GT; America/Guatemala
Hong Kong; HK; Asia/Hong_Kong
Hungary; HU; Europe/Budapest
Iceland; IS; Atlantic/Reykjavik
India; IN; Asia/Kolkata
Indonesia; ID;
Iran; IR; Asia/Tehran
Iran, Islamic Republic of; IR; Asia/Tehran
Ireland; IE; Europe/Dublin
Israel; IL; Asia/Jerusalem
Italy; IT; Europe/Rome
Japan; JP; Asia/Tokyo
Jordan; JO; Asia/Amman
Kenya; KE; Africa/Nairobi
Korea, Republic of; KR; Asia/Seoul
South Korea; KR; Asia/Seoul
Latvia; LV; Europe/Riga
Lebanon; LB; Asia/Beirut
Lithuania; LT; Europe/Vilnius
Luxembourg; LU; Europe/Luxembourg
Malawi; MW; Africa/Blantyre
Malaysia; MY; Asia/Kuala_Lumpur
Malta; MT; Europe/Malta
Mexico; MX;
Morocco; MA; Africa/Casablanca
Netherlands; NL; Europe/Amsterdam
New Zealand; NZ; Pacific/Auckland
Nigeria; NG; Africa/Lagos
Norway; NO; Europe/Oslo
Pakistan; PK; Asia/Karachi
Panama; PA; America/Panama
Peru; PE; America/Lima
Philippines; PH; Asia/Manila
Poland; PL; Europe/Warsaw
Portugal; PT; Europe/Lisbon
Puerto Rico; PR; America/Puerto_Rico
Romania; RO; Europe/Bucharest
Russia; RU;
Russian Federation; RU;
Saudi Arabia; SA; Asia/Riyadh
Serbia; RS; Europe/Belgrade
Singapore; SG; Asia/Singapore
Slovakia; SK; Europe/Bratislava
Slovenia; SI; Europe/Ljubljana
South Africa; ZA; Africa/Johannesburg
Spain; ES; Europe/Madrid
Sweden; SE; Europe/Stockholm
Switzerland; CH; Europe/Zurich
Taiwan; TW; Asia/Taipei
Tanzania; TZ; Africa/Dar_es_Salaam
Thailand; TH; Asia/Bangkok
Tunisia; TN; Africa/Tunis
Turkey; TR; Europe/Istanbul
Turkey (Türkiye); TR; Europe/Istanbul
Türkiye; TR; Europe/Istanbul
Uganda; UG; Africa/Kampala
Ukraine; UA; Europe/Kyiv
United Arab Emirates; AE; Asia/Dubai
United Kingdom; GB; Europe/London
United States; US;
Viet Nam; VN; Asia/Ho_Chi_Minh
Vietnam; VN; Asia/Ho_Chi_Minh
Zambia; ZM; Africa/Lusaka
Zimbabwe; ZW; Africa/Harare
"""
_ROWS: Final = [[cell.strip() for cell in line.split(";")] for line in _TABLE.strip().split("\n")]
_CODES: Final = {name.lower(): code for name, code, _ in _ROWS}
_NAMES: Final = {code: name for name, code, _ in reversed(_ROWS)}
_ZONES: Final = {code: zone for _, code, zone in _ROWS if zone}


def country_code(name: str | None) -> str | None:
    """Return the code of a country by its name in English, or None for one that is not in the table."""
    return _CODES.get(name.strip().lower()) if name else None


def country_name(code: str) -> str:
    """Return the name of a country by its code, the code itself for one that is not in the table."""
    return _NAMES.get(code, code)


def time_zone(code: str) -> str | None:
    """Return the IANA time zone of a country that has one, or None."""
    return _ZONES.get(code)
