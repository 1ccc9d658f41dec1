"""What lint finds beside mistakes: each by a code that stays, so that it can be looked up and left out."""

from documents.lints import Level, Remark, make_codes

_TABLE = (
    ("PL101", "never-matches", Level.warning,
     "The rule can match no action: its comparisons, patterns or condition contradict each other."
     " Mend what contradicts, or remove the rule."),
    ("PL102", "always-true", Level.warning,
     "A condition, a part of one, or a limit of 0 holds for every action, and so says nothing."
     " Leave it out, or write what was meant."),
    ("PL103", "shadowed", Level.warning,
     "Every action that this rule matches is matched by another one whose effect is as strong or stronger, so"
     " it never decides. Remove it, narrow the other, or give it the stronger effect."),
    ("PL104", "place-as-text", Level.note,
     "A rule that restricts names a path or a host under `resources`, which is compared as it is written:"
     " /etc/./passwd is not /etc/passwd. Under `paths` and `hosts` it is read in every way."),
    ("PL105", "allow-swallows-deny", Level.warning,
     "The same place, written in another way, escapes this rule and is allowed by another: tried, and shown"
     " in the message. Write it under `paths` or `hosts`."),
    ("PL106", "idle-priority", Level.note,
     "The priority changes nothing: no other rule has the same effect and another priority. A priority only"
     " says which of several rules of one effect is named first; it never changes what is decided."),
    ("PL107", "repeated-pattern", Level.warning,
     "A pattern stands twice in one list, or another one there covers it. Keep the wider one."),
    ("PL108", "allows-everything", Level.warning,
     "The rule allows every action of everyone. Nothing is denied by default any more."),
    ("PL201", "always-fails", Level.warning,
     "A part of the condition fails whatever the action is: a regular expression that does not compile"
     " (RE2: no look-around, no back-references), a division by 0. The rule then has the effect of its"
     " `on_error`, for every action that its patterns match."),
    ("PL202", "argument-may-be-absent", Level.note,
     "The condition reads an argument without asking has(...) first. Where an action has none, the rule"
     " cannot be judged, and has the effect of its `on_error` (deny, if nothing is said). Meant so? Then"
     " leave it; else write has(args.x) && ... before."),
    ("PL301", "unused-list", Level.warning, "No rule and no condition uses the list."),
    ("PL302", "unused-condition", Level.warning, "No rule uses the shared condition."),
    ("PL303", "unused-template", Level.note, "No policy among these extends the template: it does nothing."),
    ("PL401", "untried", Level.warning,
     "The rule matches in no case of any of these policies. Add one that it decides."),
    ("PL402", "no-counterexample", Level.note,
     "No case comes near the rule without matching it: one with the same action that is not meant. Without"
     " it, a pattern that is too wide goes unnoticed."),
    ("PL501", "message-without-words", Level.warning,
     "The message is what a person reads when the rule decides: say why, in words."),
    ("PL502", "denial-without-tags", Level.note,
     "Tags (OWASP's agentic top ten, MITRE ATLAS, your own) are what the SIEM groups denials by."),
)  # fmt: skip
CODES = make_codes(_TABLE)


class Finding(Remark):
    """Something found at a place."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.told(CODES)
