"""What is said of steps, in English: stages, kinds of cases, facts, grounds. Marked for the translators."""

from collections.abc import Mapping
from typing import Final

_ = str

STAGE_NAMES: Final[Mapping[str, str]] = {
    "inquiry": _("Inquiry before a request"),
    "draft-shared": _("Draft shared for comment"),
    "sent": _("Request sent"),
    "sent-urgently": _("Request sent urgently"),
    "confirmed": _("Urgent request confirmed in writing"),
    "confirmation-waived": _("Written confirmation waived"),
    "acknowledged": _("Request acknowledged"),
    "screening": _("Request screened"),
    "more-asked": _("More information asked for"),
    "more-supplied": _("More information supplied"),
    "accepted": _("Request accepted"),
    "conditions-set": _("Conditions set"),
    "conditions-agreed": _("Conditions agreed to"),
    "transmitted": _("Passed on for execution"),
    "in-execution": _("In execution"),
    "partly-executed": _("Partly executed"),
    "executed": _("Executed"),
    "consultation": _("Consultation before refusal or postponement"),
    "consulted": _("Consultation answered"),
    "postponed": _("Postponed"),
    "refused": _("Refused"),
    "refused-in-part": _("Refused in part"),
    "withdrawn": _("Request withdrawn"),
    "closed": _("Case closed"),
    "arrest-asked": _("Provisional arrest asked for"),
    "surrender-decided": _("Surrender decided"),
    "surrendered": _("Person surrendered"),
    "refused-nationality": _("Refused because of nationality, submitted to own authorities"),
    "freezing-asked": _("Freezing asked for"),
    "frozen": _("Assets frozen"),
    "freezing-ending": _("Freezing about to end"),
    "reasons-presented": _("Reasons for freezing presented"),
    "confiscated": _("Assets confiscated"),
    "sharing-agreed": _("Return or sharing of assets agreed"),
    "consents-recorded": _("Consents to the transfer recorded"),
    "transferred": _("Person transferred"),
    "preserved": _("Data preserved"),
    "request-followed": _("Request for the data followed"),
    "lapsed": _("Preservation lapsed"),
    "registry-answered": _("Registry of the vessel answered"),
    "vessel-authorized": _("Measures on the vessel authorized"),
    "authorization-denied": _("Measures on the vessel not authorized"),
    "result-reported": _("Result of the measures reported"),
    "information-sent": _("Information sent spontaneously"),
    "use-notified": _("Use of the information notified"),
    "agreement-signed": _("Agreement on the joint investigation signed"),
    "investigation-ended": _("Joint investigation ended"),
}

VARIANT_NAMES: Final[Mapping[str, str]] = {
    "assistance": _("Mutual legal assistance"),
    "extradition": _("Extradition"),
    "confiscation": _("Freezing and confiscation"),
    "transfer": _("Transfer of a sentenced person"),
    "preservation": _("Preservation of data"),
    "vessel": _("Measures on a vessel"),
    "information": _("Spontaneous information"),
    "joint": _("Joint investigation"),
}

FACT_NAMES: Final[Mapping[str, str]] = {
    "actions": _("Actions requested"),
    "alternatives": _("What else is possible"),
    "annexes": _("Annexes"),
    "answer": _("Answer"),
    "assets": _("Assets"),
    "assistance": _("(d) Assistance sought, and details of any particular procedure"),
    "authority": _("Competent authority, by its function"),
    "channel": _("Formal channel"),
    "conditions": _("Conditions"),
    "confirmation_due": _("Written confirmation by"),
    "consents": _("Consents"),
    "delivery": _("What is delivered"),
    "due": _("Answer wanted by"),
    "ending": _("Ends on"),
    "evaluation": _("Evaluation"),
    "expected": _("Expected by"),
    "formally": _("To be asked for formally"),
    "ground": _("Ground"),
    "languages": _("Languages"),
    "measures": _("Measures"),
    "next_step": _("Next step"),
    "open": _("What is still open"),
    "outcome": _("Outcome"),
    "override_reason": _("Why there was no consultation"),
    "persons": _("(e) Identity, location and nationality of any person concerned"),
    "points": _("Points"),
    "procedure": _("Procedure to be followed"),
    "proceeding": _("(b) Subject matter and nature of the proceeding, and who conducts it"),
    "progress": _("Progress"),
    "purpose": _("(f) Purpose for which the evidence, information or action is sought"),
    "question": _("Question to the requesting authority"),
    "reasons": _("Reasons"),
    "relied_on": _("Facts relied upon"),
    "requesting_authority": _("(a) Authority making the request"),
    "result": _("Result"),
    "review": _("To be reviewed on"),
    "summary": _("(c) Summary of the relevant facts"),
    "topic": _("Subject matter"),
    "treaty": _("Name of the treaty"),
    "until": _("Until"),
    "use_limits": _("Limits on use"),
    "version": _("Version"),
}

OUTCOME_NAMES: Final[Mapping[str, str]] = {
    "executed": _("Executed as asked"),
    "executed-in-part": _("Executed in part"),
    "refused": _("Refused"),
    "withdrawn": _("Request withdrawn"),
    "otherwise": _("Settled otherwise"),
}

QUESTION_NAMES: Final[Mapping[str, str]] = {
    "time": _("Was the answer in time?"),
    "use": _("Was what was asked for delivered, and usable?"),
    "ease": _("What would have made it easier?"),
}

ANSWER_NAMES: Final[Mapping[str, str]] = {
    "in-time": _("In time"),
    "late": _("Late, but still of use"),
    "too-late": _("Too late to be of use"),
    "wholly": _("Delivered, and usable"),
    "partly": _("In part"),
    "not-at-all": _("Not usable, or not delivered"),
}

GROUND_NAMES: Final[Mapping[str, str]] = {
    "R-FORM": _("The request is not made in conformity with the article"),
    "R-SOV": _("Prejudice to sovereignty, security, ordre public or other essential interests"),
    "R-LAW": _("Domestic law would prohibit the action for a similar offence of its own"),
    "R-SYS": _("Contrary to the legal system relating to mutual legal assistance"),
    "R-DUAL": _("Absence of dual criminality"),
    "R-TREATY": _("Ground of another treaty"),
    "X-PERSEC": _(
        "Substantial grounds to believe that the person would be persecuted or discriminated against"
    ),
    "X-NAT": _("The person sought is a national"),
    "X-PEN": _("Minimum penalty, or another condition of domestic law or treaty"),
    "C-SCOPE": _("Offence not covered by the Convention"),
    "C-3P": _("Rights of bona fide third parties"),
    "P-ONGOING": _("Interference with an ongoing investigation, prosecution or judicial proceeding"),
}

OVERRIDE_NAMES: Final[Mapping[str, str]] = {
    "other-treaty": _("Without consultation: another treaty governs"),
    "not-appropriate": _("Without consultation: it is not appropriate"),
}

MARK_GROUP_NAMES: Final[Mapping[str, str]] = {
    "status": _("Formal status"),
    "confidence": _("Confidentiality"),
    "use": _("Use"),
    "onward": _("Passing on"),
    "personal": _("Personal data"),
}

MARK_NAMES: Final[Mapping[str, str]] = {
    "informal": _("Informal contact"),
    "advance-copy": _("Advance copy"),
    "formal": _("Formal communication"),
    "oral-confirmed": _("Confirms an oral request"),
    "confidential": _("Fact and substance confidential"),
    "not-confidential": _("Cannot be kept confidential"),
    "lead-only": _("As a lead only"),
    "stated-proceedings": _("For the stated proceedings"),
    "with-consent": _("With consent only"),
    "exculpatory": _("Disclosed as exculpatory, after notice"),
    "not-beyond": _("Not beyond this authority"),
    "executing-only": _("Executing authority only"),
    "named-bodies": _("Only to bodies that the text names"),
    "identity-data": _("Identity data"),
    "protected-persons": _("Victims, witnesses or minors"),
}
