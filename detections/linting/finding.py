"""What lint finds in detections beside mistakes."""

from documents.lints import Level, make_codes

_TABLE = (
    ("DL101", "looked-at-always", Level.note,
     "No literal text stands in everything that the rule matches, so that it is evaluated on every action of"
     " its phase. Put a `contains`, `startswith` or an exact value beside the expression, or write"
     " alternatives with a word of three letters at least."),
    ("DL102", "no-name", Level.warning,
     "The rule has no `name:`, so that policies and exceptions must call it by its UUID. Give it one."),
    ("DL103", "not-live", Level.note,
     "The groups of this correlation span agents: no worker sees them whole. It is carried for the"
     " correlator."),
    ("DL104", "keywords", Level.note,
     "A value without a field is searched in every text of an action, what it read among them. Name the"
     " field."),
    ("DL201", "untried", Level.warning,
     "The detection has no case that it finds, or none that it must not find. Write both in"
     " `<rule>.cases.yml`."),
    ("DL202", "tried-little", Level.note,
     "One case of a kind shows little: write two that are found and two of ordinary work that look alike."),
    ("DL203", "not-alone", Level.warning,
     "In each of its cases another detection finds something, too: it may add nothing. Write a case that it"
     " alone finds, or remove it."),
    ("DL301", "no-runbook", Level.warning,
     "Nothing says what to do about a finding. Write `runbook:`, for a person who sees it at night."),
    ("DL302", "no-false-positives", Level.note,
     "Nothing says when ordinary work looks like this. Write `falsepositives:`."),
    ("DL303", "no-owasp-tag", Level.note,
     "The detection belongs to no category of OWASP's agentic top ten: write a tag such as `owasp.asi05`."),
    ("DL304", "unknown-tag", Level.warning,
     "A tag of `owasp.` or `atlas.` that is none: `owasp.asi01` to `owasp.asi10`, `atlas.aml.t0051.001`."),
    ("DL305", "no-description", Level.note, "Nothing says what the detection finds, and why that matters."),
    ("DL401", "expired", Level.warning,
     "The exception mutes no more. Remove it, or look at the findings again and set another day."),
    ("DL402", "long-lived", Level.note,
     "The exception holds for more than a year. Nobody remembers then why; choose an earlier day."),
    ("DL403", "too-broad", Level.warning,
     "The exception's patterns fit every action. Narrow them, or switch the detection off in"
     " `kind: Detections`."),
    ("DL404", "mutes-nothing", Level.warning,
     "The rule raises no findings, as only correlations want it, so that there is nothing to mute. Name the"
     " correlation."),
)  # fmt: skip
CODES = make_codes(_TABLE)
