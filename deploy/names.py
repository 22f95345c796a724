"""Writes network/directory/names.json: States and languages by name in the six languages of the network.

`python -m deploy.names` takes the names of States and of languages from CLDR (Babel), puts those of the
United Nations where they differ, and lets Node's collation order the Chinese ones, which have no alphabet.
Run it after Babel was updated, and read what changed before committing it: names of States are never routine.
"""

import json
import re
import subprocess
from pathlib import Path

from babel.core import Locale, get_global

from deploy.names_of_the_united_nations import NAMES

OUT = Path(__file__).resolve().parent.parent / "network" / "directory" / "names.json"
LOCALES = ("ar", "zh_Hans", "en", "fr", "ru", "es")  # in this order in every row

# Codes of ISO 3166-1 (and a few that CLDR has besides) that are no States: territories are shown under the
# name that the secretariat wrote from the notification, in the languages it was given in.
LEFT_OUT = """
AC AI AN AQ AS AW AX BL BM BQ BV CC CP CW CX DG EA EH EU EZ FK FO GF GG GI GL GP GS GU HM IC IM IO JE KY
MF MP MQ MS NC NF PF PM PN PR QO RE SH SJ SU SX TA TC TF TK TW UM UN VG VI WF XA XB XK YT YU ZZ
"""

# Languages that States accept requests in, beside the six: official somewhere, or of a neighbour.
LANGUAGES = """
ar zh en fr ru es af am az be bg bn bs ca cs da de dv dz el et eu fa fi fil fj ga gl gn ha he hi hr ht hu
hy id is it ja ka kk km ko ku ky lb lo lt lv mg mi mk mn ms mt my ne nl no ny pl ps pt qu rm rn ro rw si
sk sl sm sn so sq sr ss st sv sw ta tg th ti tk tn to tr ts uk ur uz vi xh zu
"""


# Alpha-3 codes of States that are no more, or that other tables use for the same territory.
REPLACED = {"BUR", "DDR", "FXX", "NTZ", "ROM", "SCG", "SUN", "TMP", "YMD", "YUG", "ZAR", "CSK", "VDR", "ANT"}


def alpha_3() -> dict[str, str]:
    """Return alpha-3 by alpha-2 code; CLDR lists the former as aliases that are too long."""
    aliases: dict[str, list[str]] = get_global("territory_aliases")  # type: ignore[assignment]
    english = Locale.parse("en").territories
    found: dict[str, str] = {}
    for alias, codes in aliases.items():
        if re.fullmatch("[A-Z]{3}", alias) and len(codes) == 1 and alias not in REPLACED:
            code = codes[0]
            if re.fullmatch("[A-Z]{2}", code) and code in english and code not in LEFT_OUT.split():
                found.setdefault(code, alias)
    return found


def states() -> dict[str, list[str]]:
    """Return the six names by alpha-3 code."""
    locales = [Locale.parse(name) for name in LOCALES]
    rows = {}
    for alpha_2, code in alpha_3().items():
        names = [locale.territories[alpha_2] for locale in locales]
        names[2] = names[2].replace(" & ", " and ").replace("St. ", "Saint ")
        special = NAMES.get(code, {})
        rows[code] = [special.get(name, names[place]) for place, name in enumerate(LOCALES)]
    return dict(sorted(rows.items()))


def languages() -> dict[str, list[str]]:
    """Return the six names by code of BCP 47."""
    locales = [Locale.parse(name) for name in LOCALES]
    return {code: [locale.languages[code] for locale in locales] for code in LANGUAGES.split()}


def in_chinese_order(rows: dict[str, list[str]]) -> list[str]:
    """Return the keys in the order of their Chinese names."""
    script = (
        "const rows = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "const order = new Intl.Collator('zh-Hans').compare;"
        "console.log(JSON.stringify(Object.keys(rows).sort((a, b) => order(rows[a][1], rows[b][1]))))"
    )
    ran = subprocess.run(
        ["node", "-e", script], input=json.dumps(rows), capture_output=True, text=True, check=True
    )
    ordered: list[str] = json.loads(ran.stdout)
    return ordered


def table(rows: dict[str, list[str]]) -> str:
    """Return the rows as JSON, one a line, so that a changed name is a changed line."""
    lines = (f"    {json.dumps(key)}: {json.dumps(names, ensure_ascii=False)}" for key, names in rows.items())
    return "{\n" + ",\n".join(lines) + "\n  }"


def main() -> None:
    """Write the file."""
    of_states, of_languages = states(), languages()
    parts = {
        "states": table(of_states),
        "states_in_chinese_order": json.dumps(in_chinese_order(of_states)),
        "languages": table(of_languages),
        "languages_in_chinese_order": json.dumps(in_chinese_order(of_languages)),
    }
    body = ",\n".join(f"  {json.dumps(name)}: {part}" for name, part in parts.items())
    OUT.write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
