"""What words say is being done: general English of tools and instructions, and no tool's own name.

A doing is one bit; a word may have several. Every inflected form stands in the table, so that a look-up is
one access. A word that may as well be a noun (`order`, `post`) says less than one that cannot.
"""

READ, VISIT, SEND, PAY, MAKE, CHANGE, REMOVE, RUN, ADMIT = (1 << i for i in range(9))
DOINGS = ("read", "visit", "send", "pay", "make", "change", "remove", "run", "admit")
"""The bits by name, the lowest first."""
WRITES = SEND | PAY | MAKE | CHANGE | REMOVE | RUN | ADMIT
"""Those that leave something changed behind them."""
TELLING = WRITES | VISIT
"""Those that matter when somebody else asked for them: visiting a page tells its owner something."""

_VERBS = {
    READ: "get read list search find look check view show fetch retrieve see summarize summarise count "
    "compare calculate query scan review analyze analyse inspect describe examine recommend suggest gather "
    "collect obtain extract lookup identify determine monitor track export compute",
    VISIT: "visit browse open navigate click follow download access load surf",
    SEND: "send forward email mail message reply respond publish tweet notify tell text share comment "
    "announce submit contact broadcast disclose leak reveal report upload push deliver relay "
    "transmit post write copy include attach report dm sms ping mention provide supply pass",
    PAY: "pay transfer wire purchase buy order checkout donate deposit refund subscribe charge fund rebuy "
    "repay spend reimburse tip withdraw invest bid sell trade redeem remit settle rent bill apply "
    "claim",
    MAKE: "create add make schedule book reserve append insert generate register draft build save store "
    "upload issue post write record enroll clone fork prepare place put plan log raise file import "
    "arrange commit set",
    CHANGE: "change update modify edit set reset rename move adjust replace configure reschedule enable "
    "disable assign mark switch convert redirect upgrade downgrade merge star alter rewrite "
    "correct fix unlock turn increase decrease toggle lock apply pin swap extend reduce overwrite "
    "rebook revert close reopen sync",
    REMOVE: "delete remove cancel clear drop revoke unsubscribe erase wipe destroy purge terminate kick ban "
    "uninstall discard archive block return unfollow empty reject decline dismiss leave",
    RUN: "run execute install launch deploy start restart eval call invoke compile trigger activate perform "
    "launch stop shutdown reboot schedule use enter input type fill press confirm complete",
    ADMIT: "invite grant authorize authorise allow permit give login verify authenticate connect approve "
    "promote whitelist enroll join accept delegate trust admit sign link",
}
_NOUNS = {
    VISIT: "webpage website url link page site web http browser",
    SEND: "mail message email dm sms notification reply chat inbox recipient",
    PAY: "transaction payment money cart bill purchase refund transfer checkout order fund deposit "
    "subscription invoice bank iban cost price rent wallet",
    MAKE: "event reservation appointment reminder booking calendar meeting",
    CHANGE: "setting configuration profile status address",
    RUN: "command shell script code terminal job pipeline",
    ADMIT: "password permission credential token otp access collaborator member role key secret login "
    "account",
}
_ALSO_NOUNS = frozenset(
    "order book file issue list post message email mail text share comment report upload push copy "
    "record store charge fund bill plan log set place start stop call use type press return empty "
    "block access load view query count review check search purchase transfer deposit refund tip "
    "wire bid trade rent claim schedule register draft build commit import export update change "
    "move switch fix reset star pin lock turn pass drop ban archive sign link look find show "
    "contact mention supply reply access ping answer follow test track sent sync merge raise close "
    "open leave clone fork monitor trust complete clear extract increase decrease input visit "
    "download mark release note read show help login result dm sms".split()
)
_IRREGULAR = {
    "sent": "send", "sending": "send", "paid": "pay", "bought": "buy", "made": "make", "gave": "give",
    "given": "give", "wrote": "write", "written": "write", "ran": "run", "told": "tell", "shown": "show",
    "found": "find", "sold": "sell", "spent": "spend", "left": "leave", "got": "get", "built": "build",
}  # fmt: skip


def _forms(word: str) -> set[str]:
    """The word and what English makes of it."""
    stem = word[:-1] if word.endswith("e") else word
    forms = {word, word + "s", word + "es", stem + "ed", stem + "ing", stem + "er"}
    if word.endswith("y"):
        forms |= {word[:-1] + "ies", word[:-1] + "ied"}
    if word[-1] not in "aeiouwxy" and word[-2] in "aeiou" and word[-3:-2] not in tuple("aeiou"):
        forms |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return forms


def _table(words: dict[int, str], forms: bool) -> dict[str, int]:
    table: dict[str, int] = {}
    for doing, listed in words.items():
        for word in listed.split():
            for form in _forms(word) if forms else {word, word + "s"}:
                table[form] = table.get(form, 0) | doing
    return table


IMPERATIVES = _table({d: w for d, w in _VERBS.items()}, forms=False)
"""What is done, by a verb as it stands where somebody is told to do it."""
for _verb in [v for v in IMPERATIVES if v.endswith("s") and v[:-1] in IMPERATIVES]:
    del IMPERATIVES[_verb]
IMPERATIVES |= {"sent": SEND}  # a common slip for "send"
VERBS = _table(_VERBS, forms=True)
"""What is done, by any form of a verb."""
for _form, _verb in _IRREGULAR.items():
    VERBS[_form] = VERBS.get(_form, 0) | VERBS[_verb]
NOUNS = _table(_NOUNS, forms=False)
"""What is usually done with a thing, by its noun."""
AMBIGUOUS = frozenset(form for word in _ALSO_NOUNS for form in (word, word + "s"))
"""Verbs that are nouns as often."""

STOP = frozenset(
    "a an the this that these those and or but if then else for from with without to of in on at by "
    "as is are was were be been being it its i me my we our us you your he she they them their his "
    "her not no do does did have has had will would can could should shall may might must just so "
    "than too very also only about into over under out up down all any each more most other some "
    "such own same there here when where which who whom what why how one two hi hey hello please "
    "thanks thank dear best regards".split()
)

READERS = frozenset(
    "assistant agent ai llm model bot gpt claude chatbot copilot system reader readers admin administrator "
    "developer operator moderator automation whoever".split()
)
"""Whoever is spoken to, or claimed to speak, in text that is written at an agent."""
STEERING = frozenset(
    "ignore disregard forget override overrides instead before continue continuing proceed resume "
    "previous previously prior above following original plan instruction instructions instructed "
    "task tasks prompt directive directives command commands request requests requested requires "
    "required reminder fyi note attention important urgent urgently mandatory immediately must "
    "first afterwards todo authorized authorised wanted wants asked needs objective goal priority "
    "essential critical compulsory obligatory".split()
)
"""Words that steer somebody's work rather than tell something."""
SOCIAL = frozenset(
    "hope love hi hello dear hey cheers sincerely regards team feel welcome join enjoy "
    "happy birthday we we're us our let's".split()
)
"""What people write to each other."""
