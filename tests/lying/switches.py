"""The browser client with checks that can be switched off, and which of them stand against which lie.

Most rules are insisted upon by name (`insist` in errors.ts), so a name switches them off; where a check does
more than insist, its own switch says what stands in its place. Each lie is told with them and without them.
"""

from tests.lying import file_lies, keyring_lies, lies, member_lies

Switches = dict[str, list[tuple[str, str]]]
"""By source below messaging/client/src: (text that stands there once, text in its place)."""

WHATEVER = (
    "({ body: { type: 'note', text: 'Whatever was meant.', reason: null, files: [], "
    "about: null, moment: null }, language: 'en', subject: null, ownReference: null, "
    "foreignReference: null, checkpoint: null, marks: [], urgency: message.urgency, due: message.due })"
)
UNREADABLE = f"if (without('M5 text')) return {WHATEVER}; throw error"
MARKS = "findMarks(state, header, writer)"
EVER_LISTED = "keyring.generations.map((_, n) => listedAt(keyring, n, kid)).find((one) => one !== null)"
CLOSED = "throw new Refused('E8', 'cannot-open', `chunk ${index}"
ZEROS = "new Uint8Array(Math.min(CHUNK, file.size - index * CHUNK))"
READ = "readPadded(net, message, await openPadded(net, message, ciphertext, key))"
LISTED = "const device = listedAt(keyring, by.n, kid)"
CONSENT = "    insist(mine !== undefined, 'T3', 'consent-missing'"

SWITCHES: Switches = {
    "sealed/errors.ts": [("if (!condition)", "if (!condition && !without(`${rule} ${code}`))")],
    "sealed/message.ts": [
        (
            "= findMarks(state, header, writer)",
            "= without('M4 marks') ? [] : findMarks(state, header, writer)",
        ),
        (f"return {READ}", f"try {{ return await {READ} }} catch (error) {{ {UNREADABLE} }}"),
    ],
    "sealed/thread_rules.ts": [
        (LISTED, f"{LISTED} ?? (without('M1 unlisted-device') ? {EVER_LISTED} : null)"),
    ],
    "sealed/thread_changes.ts": [
        (CONSENT, f"    if (!mine && without('T3 consent-missing')) continue\n{CONSENT}"),
    ],
    "sealed/known_thread.ts": [
        (
            "unanchored(): ReadonlySet<number> {",
            "unanchored(): ReadonlySet<number> { if (without('M8 anchors')) return new Set()",
        ),
    ],
    "sealed/follower.ts": [
        (
            "if (known !== null && !equal(known, found.root))",
            "if (known !== null && !equal(known, found.root) && !without('L5 inconsistent-log'))",
        ),
        ("'head'>): Promise<void> {", "'head'>): Promise<void> { if (without('L2 newest')) return"),
        ("if (!isSame && note) {", "if (!isSame && note && !without('L6 other-log')) {"),
        ("if (!equal(root, found.root))", "if (!equal(root, found.root) && !without('L5 inconsistent-log'))"),
        (
            "leaves: readonly Base64[], now: number): Promise<void> {",
            "leaves: readonly Base64[], now: number): Promise<void> { if (without('L2 followed')) return",
        ),
    ],
    "sealed/attachment.ts": [
        (CLOSED, f"if (without('E8 cannot-open')) return {ZEROS}; {CLOSED}"),
    ],
    "store/reading.ts": [
        ("if (page.seq < before) return", "if (page.seq < before) return without('T8 server-went-back') || "),
    ],
    "views/session.ts": [
        ("const isSame = known.net === met.net", "const isSame = without('T8 pin') || known.net === met.net"),
    ],
}

ORDER = ("M7 wrong-transcript", "M4 marks")
REWRITTEN = ("E2 bad-signature", *ORDER, "M5 text")
CHUNK = ("M5 wrong-chunk", "E8 cannot-open", "M5 wrong-file")
UNFOLLOWED = (
    "L2 followed",
    "L2 newest",
    "L4 stale-checkpoint",
    "L1 not-logged",
    "L6 log-withheld",
    "L6 other-log",
)
AGREED = ("K6 wrong-approval", "L6 other-log")

BELIEVED: dict[str, tuple[str, ...]] = {
    # the log
    "log of another key": UNFOLLOWED,
    "lines of the log left out": UNFOLLOWED,
    "log that ends before what was seen": UNFOLLOWED,
    "shorter log than before": UNFOLLOWED,
    "another log of one size": UNFOLLOWED,
    "other labels": ("L5 label-key-changed", "L2 newest", "L1 not-logged", "L6 log-withheld"),
    "other labels than before": ("L5 label-key-changed", *UNFOLLOWED),
    "ghost line in the log": ("L5 inconsistent-log", "L2 newest", "L1 not-logged", "L6 other-log"),
    "log of the future": ("L5 future-checkpoint",),
    # messages
    "changed ciphertext": ("M3 wrong-cipher", "M5 text"),
    "raised urgency": REWRITTEN,
    "header signed by the liar": REWRITTEN,
    "lower suite": ("E2 unknown-suite", *REWRITTEN),
    "of another network": ("E2 wrong-network", *REWRITTEN),
    "left out": ORDER,
    "swapped": ORDER,
    "doubled": ("M2 repeated-id", *ORDER),
    "of another thread": ("M1 wrong-thread", "M1 wrong-epoch", *REWRITTEN),
    "kind unlike body": ("M5 wrong-body",),
    "text unlike its hash": ("M5 wrong-plain",),
    "under another key": ("M5 text",),
    "swallowed message of a counter": ("M4 marks",),
    "backdated by a removed device": ("M8 anchors",),
    "by an old entry": ("M1 author-keyring-fell", "M8 anchors"),
    "by a device that is not listed": ("M1 unlisted-device", "M8 anchors"),
    "in an old epoch": ("T4 stale-epoch", "M1 wrong-epoch", "T7 cannot-open"),
    "shorter than was seen": ("T8 server-went-back",),
    "receipt for another place": ("T8 wrong-receipt",),
    "receipt of another key": ("E2 bad-signature",),
    "another server key": ("T8 pin", "E2 bad-signature", "L2 followed"),
    # entries of threads
    "wrong history of an epoch": ("T7 wrong-history", "T7 broken-thread"),
    "another secret than the committed one": ("T7 wrong-commit", "T7 broken-thread"),
    "ghost member": ("T3 consent-missing",),
    # keyrings
    "mailbox of the liar": ("E2 bad-signature", "L2 newest"),
    "ghost device": ("K2 not-a-steward", "L2 newest"),
    "hidden keyring entry": ("K10 stale-keyring", "L2 newest"),
    "withheld removal": ("K10 stale-keyring", "L2 newest"),
    "supervisor without approval": ("K6 approval-needed",),
    "forged approval": ("E2 bad-signature", "L6 other-log"),
    "expired approval": ("K6 expired-approval", "L6 other-log"),
    "approval of another change": AGREED,
    "spent approval": AGREED,
    "approval by the author": AGREED,
    "floor not raised": ("K4 wrong-floor",),
    "mailbox of before": ("K5 reused-key",),
    "device with a weak key": ("E7 weak-signing-key",),
    "keyring taken by a stolen kit": ("K11 unconfirmed-recovery", "K8 not-compared", "M8 anchors"),
    "fork of a removed steward": ("L2 newest",),
    "fork of a removed steward, seen before": ("K10 forked-keyring", "L2 newest"),
    "wrong history in the own keyring": ("K7 broken-keyring",),
    "another mailbox than the secret's": ("K7 wrong-mailbox",),
    # files
    "altered chunk": CHUNK,
    "truncated chunk": CHUNK,
    "reordered chunks": CHUNK,
    "chunks of another file": CHUNK,
    "altered chunk under its hash": ("M5 wrong-root", *CHUNK),
    "reordered chunks under their hashes": ("M5 wrong-root", *CHUNK),
    "another file": ("M5 wrong-root", *CHUNK),
    "file of another thread": ("M5 wrong-root", *CHUNK),
    "altered list of hashes": ("M5 wrong-root", *CHUNK),
}
"""What has to be switched off before a lie is believed in a browser."""

NOT_TO_BE_BELIEVED: dict[str, str] = {
    "another encoding": "another decoder would have to be written; vectors replay every form",
    "tagged value": "another decoder would have to be written; vectors replay every form",
    "garbage envelopes": "no check gives a key that is not there",
    "garbage in a signed envelope": "no check gives a key that is not there",
    "garbage in the own envelopes": "no check gives a key that is not there",
    "garbage in the own signed envelope": "no check gives a key that is not there",
    "mailbox of no KEM key": "nothing can be sealed to it",
    "file without its end": "the page itself asks for chunks that are not there",
    "without its beginning": "a thread without its beginning has no keys",
    "without device statements": "nobody's signature can be checked, whatever is switched off",
    "another name": "what is kept of a server is kept under its name",
    "of another type": "what is no message has no text",
    "expelled party": "who was expelled has no keys of what comes after",
}
"""Lies of which a browser can make nothing, whatever is switched off, and why."""

BELIEVED_OF_PRACTITIONERS: dict[str, tuple[str, ...]] = {
    "spent mandate and consents": ("T3 consent-spent",),
    "ghost practitioner": ("T3 consent-missing",),
    "withheld end of a sponsor": ("L2 newest",),
}
"""The same of lies about mandates and who answers for practitioners (mandate_lies)."""

KINDS = {module.__name__: module.ATTEMPTS for module in (lies, keyring_lies, member_lies, file_lies)}
