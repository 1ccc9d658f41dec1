"""What is told of the findings of flow."""

from detections.about import About
from schemas.verdict import Severity

_MISSED = (
    "\n\nNot promised: instructions that no English verb gives, that hide in pictures or encodings, that came"
    " by a way of which no result was recorded; calls whose tool and arguments share nothing with what was"
    " read. What is remembered is bounded: 28 instructions of an agent, the requests of its last four"
    " sessions. How often it is right is measured: see docs/detection-quality.md."
)
INJECTED = About(
    id="injected-instructions",
    title="A tool returned instructions to the agent",
    severity=Severity.medium,
    tags=("ASI01", "AML.T0051.001"),
    description=(
        "What a tool returned holds a sentence that tells the agent to do something that the user did not ask"
        " for: by where its verb stands, whether it is set apart from the data around it, whether it speaks"
        " to whoever reads it or steers their work, and whether it names addresses, accounts or other values"
        " that the user did not." + _MISSED
    ),
    false_positives=(
        "Mail and documents in which people ask each other to do things, addresses included.",
        "Pages and errors that tell their users what to do next.",
    ),
    runbook=(
        "Read the passage at the place given. If it speaks to the agent, find who could write there, and look"
        " at what the agent did since: tainted-call and unasked-action name what followed it."
    ),
)
TAINTED = About(
    id="tainted-call",
    title="A call uses what only an instruction in a tool's result named",
    severity=Severity.high,
    tags=("ASI01", "ASI02", "AML.T0051.001", "AML.T0086"),
    description=(
        "An argument of the call (an address, an account, a name) stands in an instruction that a tool"
        " returned and not in the user's own words, and the call does what that instruction says. Where the"
        " user asked to do what a source says and named it, less is made of it." + _MISSED
    ),
    false_positives=(
        "The user asked in words that the detector does not know to do what a message asks for.",
    ),
    runbook=(
        "Compare the call with what the user asked for, and with the passage in the result that the evidence"
        " names. If the user did not want it: stop the session, undo the call, rotate what it disclosed."
    ),
)
UNASKED = About(
    id="unasked-action",
    title="A call does what a tool's result told, not what the user asked",
    severity=Severity.medium,
    tags=("ASI01", "ASI02", "AML.T0051.001", "AML.T0053"),
    description=(
        "The call does what an instruction in a tool's result says, and what it is done to is not in the"
        " user's words; none of its arguments shows it for certain." + _MISSED
    ),
    false_positives=("A task that takes a step which the user's words do not mention.",),
    runbook=(
        "Compare the call with what the user asked for, and with the passage in the result that the evidence"
        " names. If it is a step of the user's task, make an exception for the tool."
    ),
)
