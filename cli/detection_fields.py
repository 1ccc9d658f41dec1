"""The page of the fields that detection rules may ask for, docs/detections/fields.md: by `make docs`."""

from detections.sigma.fields import FIELDS, KEYWORD_FIELDS, LONGEST_NUMBER, PRODUCT, Field
from detections.sigma.rule import PHASES
from detections.sigma.taxonomy import WIDE

_HEAD = f"""\
# Fields of detection rules

<!-- written by `make docs`; change the code instead -->

What rules of `logsource: product: {PRODUCT}` may ask of an action. `category:` is the action's phase
({", ".join(PHASES)}); a rule without one looks at all. How they are compared:
[the language](sigma.md).

| field | | |
|---|---|---|
"""

_READING = f"""
A field has any number of values; a comparison is true if it is true of one of them. A field that is absent
has none, so that nothing but `null` and `exists: false` is true of it.

- Texts are compared with a value's text: a number's is its digits, a bool's `true` or `false`; null,
  mappings and empty lists have none, but exist.
- Numbers are compared with a value that is one, or with a text of at most {LONGEST_NUMBER} characters that
  is written as JSON writes numbers.
- Times are microseconds since 1970; `minute`, `hour`, `day`, `week`, `month`, `year` are in UTC.
- `args.<path>` is a path of keys, such as `args.to.email`. A list on the way, or at its end, stands for
  each of its elements. A key with a dot in it cannot be named; `args` searches all.
- `arguments` is the text as it was sent, in which a letter may be written as an escape: `args` and
  `args.<path>` see what it says. Arguments that are no JSON object, or that can be read in two ways, are
  an error of every rule that asks for them, never "no match".
- `keywords` are the texts of {", ".join(f"`{name}`" for name in KEYWORD_FIELDS)},
  of every argument and of every label.

## Names that stand for several fields

Tools call one thing by many names. A comparison of such a name is true if it is true of one of its fields;
`null` and `exists: false` ask that of all.

| name | fields | |
|---|---|---|
"""


def fields_page() -> str:
    """Every field, and every name that stands for several."""
    rows = "".join(_row(field) for field in FIELDS)
    wide = "".join(
        f"| `{name}` | {', '.join(f'`{field}`' for field in row.fields)} | {row.doc} |\n"
        for name, row in WIDE.items()
    )
    return _HEAD + rows + _READING + wide


def _row(field: Field) -> str:
    kind = "any value" if field.kind == "any" else field.kind
    absent = ", may be absent" if field.nullable else ""
    return f"| `{field.name}` | {kind}{absent} | {field.doc} |\n"
