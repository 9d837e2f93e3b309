"""What the rules ask of a system for clinical trials, and what went wrong in others: each with an identifier.

A test that proves a requirement bears the marker `requirement("G1")`; docs/traceability.md is generated from
this table and those markers (see tests/traceability.py). `means` says how the product meets it, `unit` what a
trial unit must do itself, as no software can.
"""

from dataclasses import dataclass

_R3 = "ICH E6(R3)"
_P11 = "21 CFR"
_EU = "Regulation (EU) 536/2014"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that the rules ask for; an `organisational` one is met by people alone, and has no test."""

    id: str
    asks: str
    source: str
    means: str
    unit: str = ""
    organisational: bool = False


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "G1",
        "Making accounts, giving and taking roles, and every access are on record.",
        f"{_R3} 4.2.2(a)(i)",
        "Roles are entries of the ledger with who gave them; the access log holds accounts, log-ins,"
        " failures, second factors, tokens, identities and allocations that were read, and copies that were"
        " taken.",
        "Review the access log at planned times, and keep the logs of the proxy in front.",
    ),
    Requirement(
        "G2",
        "The first value stays, and every change or removal after it, with a reason.",
        f"{_R3} 4.2.2(a)(ii)",
        "Entries are only ever added; a correction or a struck-out row without a reason is refused, and the"
        " page of an item shows every value that it ever had.",
    ),
    Requirement(
        "G3",
        "What people do is on record, not only the values that they change.",
        f"{_R3} 4.2.2(a)(iii)",
        "Every command leads to an entry of its own kind: consent, assessment, randomisation, queries, source"
        " verification, signature, freeze, lock, unblinding.",
    ),
    Requirement(
        "G4",
        "Nobody can switch the audit trail off; to correct the trail itself is on record and justified.",
        f"{_R3} 4.2.2(b)",
        "The trail is the record itself: nothing is stored but through an entry, no command, page, setting or"
        " method takes one away, and each entry is chained to the one before. What was wrong in an entry is"
        " put right by a further entry. A name that was typed into free text can be blotted out, with a"
        " reason and a proof of who does it: an entry says so, every link and published head still holds.",
        "Tell staff to type no names into free text. Decide who blots out and who agrees to it; treat copies"
        " and backups that left likewise.",
    ),
    Requirement(
        "G5",
        "The audit trail can be read by a person and reviewed by plan and risk.",
        f"{_R3} 4.2.2(c), 4.2.3",
        "The trail is shown in pages with names, times and reasons, by participant and by item, only as far"
        " as the reader's mask allows; it leaves with the copy of a site as a table. From the page, a review"
        " is put on record with its filter, the entries that it is of, what was found and when it is due"
        " again; what is overdue stands on the page of the day. What a monitor verifies is planned by form"
        " and by critical item.",
        "Plan which parts are reviewed, by whom and how often: a review names the day of the next one only.",
    ),
    Requirement(
        "G6",
        "Dates and times cannot be misread; the time zone is shown.",
        f"{_R3} 4.2.2(d)",
        "Entries bear UTC to the microsecond; pages show the site's time with its distance from UTC; no entry"
        " comes before the one that it follows.",
        "Keep the server's clock synchronised (NTP), and watch that it is.",
    ),
    Requirement(
        "G7",
        "The investigator's data are changed by the investigator's site alone: attributed, with a reason, in"
        " time.",
        f"{_R3} 3.16.1(i)(j), 4.2.4",
        "Only the roles that a form names fill it in and correct it; data manager, monitor, statistician and"
        " administrator ask queries and have no command that changes a value of a site.",
        "Agree with the sites how soon data are entered and queries answered.",
    ),
    Requirement(
        "G8",
        "Data that are transferred are reconciled, with what describes them.",
        f"{_R3} 4.2.5",
        "A copy names each file with its hash, and the ledger position, head and study definition that it is"
        " of; the same state gives the same bytes. Programs record through the same commands as people.",
        "Agree on each transfer from outside (laboratory, devices) and reconcile it at planned times.",
    ),
    Requirement(
        "G9",
        "The masking holds while data are entered and processed; every unblinding is on record with who,"
        " when, why and who stays masked, also one by accident.",
        f"{_R3} 3.16.1(f)(g), 4.1.4",
        "Allocations are sealed; whatever a masked role can reach is the same, byte for byte, if the arms"
        " change places. Emergencies and accidents are entries of their own.",
        "Assess each accidental unblinding and write down what follows from it.",
    ),
    Requirement(
        "G10",
        "Who is in touch with the sites learns nothing that unmasks, unless the design says so.",
        f"{_R3} 4.1.1 to 4.1.3",
        "Each kind of entry declares its audience, and the study definition says which items and queries"
        " unmask; nobody can hold a masked and an unmasked role at once.",
        "Give unmasked roles to people who do not meet participants and masked staff, where the protocol asks"
        " for that; keep masked and unmasked talk and screens apart.",
    ),
    Requirement(
        "G11",
        "Nobody changes data any more before the final analysis and the unblinding; the steps are"
        " documented.",
        f"{_R3} 3.16.1(p)(q)(r), 4.2.6",
        "A participant is frozen and the trial locked, for good; the lock is refused while queries, readings"
        " or signatures are open, and the unblinding before the lock.",
        "Decide after a documented data review that the database is locked.",
    ),
    Requirement(
        "G12",
        "The investigator sees the data of the site at any time, signs for them, and can take away a complete"
        " copy that does not depend on the sponsor.",
        f"{_R3} 3.16.1(k)(o); EMA guideline on computerised systems (2023) A4",
        "The site's pages, an archive with casebooks, tables and audit trail, and signatures that name the"
        " hash of the casebook.",
        "Take the copy at the milestones of the trial and archive it at the site.",
    ),
    Requirement(
        "G13",
        "Participants stand under a code; who they are is kept apart.",
        f"{_R3} 3.16.1(s)",
        "Codes count within a site. Names and contacts are in a register of their own, sealed, erasable and"
        " readable at their own site alone; the ledger says only that there is an identity.",
        "Keep the participant identification list as national rules ask for.",
    ),
    Requirement(
        "G14",
        "Only authorised users come in, by role; the list of users is reviewed and kept up to date, and no"
        " account is shared.",
        f"{_R3} 4.3.8",
        "Every page needs a login and says for whom it is, every command a role that is held now; closing an"
        " account ends its sessions; the list of people shows each role and the last visit; its review is put"
        " on record from the delegation log, and is overdue when its day has passed.",
        "Train users before they get a role, review the list at planned times, close accounts when people"
        " leave, forbid shared ones.",
    ),
    Requirement(
        "G15",
        "Security controls, patches, monitoring, backup and recovery are in place and tested.",
        f"{_R3} 4.3.3",
        "Shielding headers, lock-out, sealed secrets, no page from another host; `equipoise backup` copies a"
        " trial in use, `equipoise verify` proves a copy, /health/ answers whoever watches over the server.",
        "Run the backups, restore one at planned times, patch the machine, watch /health/, test for"
        " intrusion.",
    ),
    Requirement(
        "G16",
        "The system and the trial's own configuration are validated before use, by risk; changes too.",
        f"{_R3} 4.3.4",
        "This page with its results for each release; `equipoise check` and a whole rehearsal of the trial"
        " under its own definition. A new version is compared with the one before, change by change: one that"
        " would take something from what was recorded, or change its meaning, is refused.",
        "Validate for the intended use on the unit's own machine: installation, configuration, acceptance by"
        " users; keep the result page of the release.",
    ),
    Requirement(
        "G17",
        "A site works with the system only after its own approvals, and with an amendment likewise.",
        f"{_R3} 4.3.5",
        "Nobody consents or is randomised at a site that is not activated, which takes the day of its"
        " approval; a variant of the rules holds from its approval on, and a new version of the definition at"
        " each site from the day on which its approval was recorded: until then the site works under the one"
        " before.",
        "Keep the approvals, and activate a site only when they are there.",
    ),
    Requirement(
        "G18",
        "The trial can go on while the system is down, and its data come in afterwards with both times.",
        f"{_R3} 4.3.6",
        "A sheet for the binder says how a code is broken without the system; what is entered later bears the"
        " day on which it happened beside the time of its recording.",
        "Print the sheets and empty forms before they are needed, seal code-break envelopes where the"
        " protocol asks for them, and rehearse a downtime.",
    ),
    Requirement(
        "G19",
        "After a withdrawal the data are dealt with as the protocol says; the version of each consent is"
        " known.",
        f"{_R3} 3.16.1(u)",
        "A withdrawal has a scope that can only become wider; from then on what the scope excludes is"
        " refused, and what was recorded before stays. Consents and their renewals name their version.",
        "Ask participants about the scope and keep the signed consent.",
    ),
    Requirement(
        "P1",
        "A signature shows the printed name, the date and time, and what it means.",
        f"{_P11} 11.50",
        "Each signature is shown with all three, on the page and in the copy of the casebook.",
    ),
    Requirement(
        "P2",
        "A signature is bound to what was signed, and cannot be moved to anything else.",
        f"{_P11} 11.70",
        "It names the hash of the casebook as it was seen; when the casebook changes it no longer holds, and"
        " the page says so.",
    ),
    Requirement(
        "P3",
        "A signature belongs to one person, whose identity was established first.",
        f"{_P11} 11.100",
        "An account has one name that no other can take, and its password is set by its owner alone.",
        "Verify who somebody is before they get an account, and certify to the authority that signatures bind"
        " as handwritten ones do (11.100(c)).",
    ),
    Requirement(
        "P4",
        "The first signing of a session takes two components, each further one at least one.",
        f"{_P11} 11.200",
        "Every signing, not the first alone, takes the account's own password in its own session, and the"
        " code of its authenticator where it has one; a program signs nothing.",
    ),
    Requirement(
        "P5",
        "Passwords are unique to an account, renewed and revocable; attempts to misuse them are noticed.",
        f"{_P11} 11.300",
        "At least twelve characters, a second factor and a yearly renewal in a live trial, lock-out after"
        " five failures; failures stand in the access log.",
        "Look into failures, and withdraw lost devices at once.",
    ),
    Requirement(
        "P6",
        "Steps come in their order, by those who have the authority, from a valid source.",
        f"{_P11} 11.10(f)(g)(h)",
        "Rules over the state of the trial refuse what is not due, tables of roles whoever has no authority,"
        " and the chain of identity a product that is not this participant's.",
    ),
    Requirement(
        "P7",
        "Copies are accurate and complete, to be read by a person and by a machine, as long as records are"
        " kept.",
        f"{_P11} 11.10(b)(c)",
        "Pages, casebooks and tables for both; a verification recomputes the whole chain and compares every"
        " table with it.",
        "Keep copies and a machine that can read them through the retention time.",
    ),
    Requirement(
        "E1",
        "Each primary endpoint has an estimand with its five attributes.",
        "ICH E9(R1) A.3",
        "The study definition holds population, treatments, variable, intercurrent events and summary; the"
        " synopsis and the report print them.",
    ),
    Requirement(
        "E2",
        "Analysis sets and the testing procedure are fixed before the unblinding, and when can be proved.",
        "ICH E9 5",
        "They are part of the definition whose hash the first entry names; heads of the chain are signed and"
        " given out, so that nobody can date it back.",
        "Give heads to somebody outside the unit, and keep what they confirm.",
    ),
    Requirement(
        "C1",
        "The report has the items and the flow diagram that a randomised crossover trial calls for.",
        "CONSORT extension, BMJ 2019;366:l4378",
        "The report draws the flow by sequence and period, tells baseline and harms by sequence and by what"
        " was in force, and compares within participants and periods where the definition asks for it.",
        "Describe in the report how carry-over was judged and why the washout sufficed: the program tells"
        " neither.",
    ),
    Requirement(
        "S1",
        "Serious events reach the sponsor within 24 hours; suspected unexpected serious reactions the"
        " authority in 7 days, with 8 for the follow-up, or in 15.",
        f"{_EU} articles 41 and 42, annex III",
        "Clocks of the definition run from the moment of awareness, stop and start again with corrections,"
        " and mark what is late.",
        "Send the reports to EudraVigilance and the ethics committees.",
    ),
    Requirement(
        "S2",
        "Before such a reaction is reported its allocation is told to those whom the protocol names, and to"
        " nobody else.",
        f"{_EU} annex III 2.5",
        "The roles that the definition names may break the code, one participant at a time and with a cause;"
        " the others stay masked, and the entry says so without the arm.",
        "Keep the unmasked report away from masked staff.",
    ),
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What went wrong elsewhere; `belongs` says where the lesson is kept when it does not concern conduct."""

    id: str
    lesson: str
    thread: str
    belongs: str = ""


_EXCHANGE = "the exchange of data with other systems, which has tests of its own"

LESSONS: tuple[Lesson, ...] = (
    Lesson("R1", "A log of changes told allocations to people who may not know them.", "redcap_rsvc #267"),
    Lesson("R2", "The right to randomise overrode the right to see a form.", "REDCap"),
    Lesson("R3", "Forms saved before a revision stayed visible to whom it hid them from.", "Viedoc"),
    Lesson("R4", "That no question may depend on the arm was advice, and nothing looked after it.", "Castor"),
    Lesson("R5", "Numbers of kits in a sequence told allocations by their gaps.", "Sealed Envelope"),
    Lesson("R6", "A filtered inventory, or a report in the wrong hands, unmasked a team.", "Medidata"),
    Lesson(
        "R7", "One field and a label added after the masking was built leaked again.", "instedd/cdx #1720"
    ),
    Lesson("R8", "Two people at once were given one slot.", "clinicedc, its source"),
    Lesson("R9", "Allocations were drawn and lost under minimisation.", "ttscience/unbiased #67"),
    Lesson("R10", "Two participants had one randomisation number.", "redcap_rsvc #265"),
    Lesson("R11", "Putting randomisation right in a running trial meant erasing it.", "REDCap"),
    Lesson("R12", "The list could be drawn again from a guessed seed.", "Phoenix"),
    Lesson("R13", "Leaving a form and coming back evaded the log and its reason.", "getodk/collect #5291"),
    Lesson("R14", "A new password left no trace in the audit log.", "getodk/central-backend #274"),
    Lesson("R15", "Records were moved to another form version unrecorded.", "OpenClinica #1074"),
    Lesson("R16", "Signing an event left no record.", "OpenClinica #2977"),
    Lesson("R17", "A removed row took its values from the trail.", "OpenClinica #69"),
    Lesson("R18", "The trail named somebody else as the one who verified.", "OpenClinica #382"),
    Lesson(
        "R19", "Writing many rows at once passed by the history that hooks kept.", "history by model hooks"
    ),
    Lesson("R20", "A form version put over another took pages and values with it.", "Rave"),
    Lesson("R21", "Values of a dropped item were kept and could not be reached.", "OpenClinica #2337"),
    Lesson("R22", "Deleting a field deleted what was entered in it.", "REDCap"),
    Lesson("R23", "One item was both empty and answered.", "LibreClinica #314"),
    Lesson("R24", "An answer was taken away without an audit record.", "LibreClinica #315"),
    Lesson("R25", "Code lists left incomplete.", "LibreClinica #279", _EXCHANGE),
    Lesson("R26", "A system refused its own file for the prefix of its names.", "MoPat #39", _EXCHANGE),
    Lesson("R27", "Repeated rows were lost downstream, silently.", "REDCapTidieR #200", _EXCHANGE),
    Lesson("R28", "A column declared whole held decimals.", "dataset-json-sas #54", _EXCHANGE),
    Lesson("R29", "Small numbers became zero.", "datasetjson #97", _EXCHANGE),
    Lesson("R30", "A renamed field was read as empty.", "aact #925"),
    Lesson("R31", "The verdict on the first file was given for the second.", "CORE engine", _EXCHANGE),
    Lesson("R32", "Why somebody did not match could not be said.", "oncokb #1894"),
    Lesson("R33", "How many each step left out was not counted.", "CohortGenerator #123"),
    Lesson("R34", "Three engines gave a population three meanings.", "ehrQL #438"),
    Lesson(
        "R35",
        "A flow diagram had no room for a second allocation.",
        "adayim/consort #13",
        "the report of a trial with two randomisations, which the format of a study does not have",
    ),
    Lesson("R36", "Two programs rounded one number differently.", "pharmaverse/cards #11"),
    Lesson(
        "R37",
        "Tests of counts rejected too often at the sizes of real trials.",
        "what was measured about counts",
        "the statistics, where each method is checked against a second program",
    ),
    Lesson("R38", "Dates known in part were completed by guessing.", "admiral #727"),
    Lesson("R39", "A saved measurement made a scan that could not be opened.", "OHIF #1679"),
    Lesson("R40", "A viewer had no form for what its readers read.", "OHIF #1760"),
    Lesson("R41", "Asked for proof of validation, they had a document years old.", "ctsms #163"),
    Lesson("R42", "A test was released without what it tests.", "redcap_rsvc #645"),
    Lesson("R43", "Adverse events and visits beside the schedule could not repeat.", "ctsms #331"),
    Lesson(
        "R44",
        "Nobody could be randomised twice in one record.",
        "ctsms #331",
        "not part of this product: a participant is randomised once, and a second trial is a second one",
    ),
    Lesson(
        "R45",
        "Simulated trials had one rate of accrual and of drop-out.",
        "rpact #40, #84",
        "planning and rehearsal, which take both from the study folder",
    ),
)
