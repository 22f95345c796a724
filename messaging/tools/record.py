"""Checks a record without network, opens it, and takes single messages out of it that prove themselves.

    python -m messaging.tools.record FILE [--language fr]
    python -m messaging.tools.record FILE --open kit|code|device [--secret-file PATH] [--device-file PATH]
                                          [--page OUT.html] [--one SEQ OUT.zip] [--files FOLDER]

Ends with 0 when everything holds, 1 when something does not, 2 when it could not be asked. The kit, the code
and a device file's passphrase are asked for, or read from a file: never taken from the command line, which
others on the machine can see.
"""

import argparse
import getpass
import json
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path

from messaging.sealed.client import Device
from messaging.sealed.container import unpack
from messaging.sealed.device import DeviceStatement
from messaging.sealed.errors import Refused
from messaging.sealed.keys import RecoveryKit, fingerprint_digits
from messaging.sealed.message import Note
from messaging.sealed.passphrase import unlock
from messaging.sealed.record import Facts, OpeningCode, read_facts
from messaging.sealed.record_beside import Contradiction
from messaging.sealed.record_check import Checked, Fault, Key, check_thread_record, is_one_message
from messaging.sealed.record_confirms import Confirmed
from messaging.sealed.record_log import LogProof
from messaging.sealed.record_one import Proven, check_message_record
from messaging.sealed.record_source import export_message
from messaging.tools.files import check_files
from messaging.tools.readable import ReadMessage, make_page, name_of
from messaging.tools.words import LANGUAGES, Say, day_of, moment, say_in


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    asked = _parser().parse_args(arguments)
    _ = say_in(asked.language)
    try:
        data = Path(asked.file).read_bytes()
        if is_one_message(data):
            return _show_one(data, _)
        return _show_thread(data, asked, _)
    except Refused as refused:
        _print(_("This cannot be done: {why}").format(why=words_of(refused.code, _) or refused.detail))
        return 1
    except (OSError, ValueError, KeyError) as error:
        _print(_("This cannot be done: {why}").format(why=error))
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m messaging.tools.record", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", help="the record")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--open", choices=("kit", "code", "device"), dest="opener")
    parser.add_argument("--secret-file", help="holds the kit, the code or the passphrase")
    parser.add_argument("--device-file", help="the file of a device of the own authority")
    parser.add_argument("--page", metavar="OUT.html", help="write a page for reading")
    parser.add_argument("--one", nargs=2, metavar=("SEQ", "OUT.zip"), help="take out one message")
    parser.add_argument("--files", metavar="FOLDER", help="where the attachments lie")
    return parser


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


# --- a whole thread


def _show_thread(data: bytes, asked: argparse.Namespace, _: Say) -> int:
    checked = check_thread_record(data, _key(data, asked, _))
    for line in describe(checked, _):
        _print(line)
    faults = list(checked.faults)
    if asked.files:
        faults += check_files(checked, Path(asked.files))
    for fault in faults:
        _print(fault_words(fault, _))
    if asked.page and checked.facts:
        Path(asked.page).write_bytes(make_page(checked.facts, read_messages(checked), asked.language))
        _print(_("Written: {path}").format(path=asked.page))
    if asked.one:
        _take_out(checked, int(asked.one[0]), Path(asked.one[1]), _)
    _print(_verdict(sound=not faults, _=_))
    return 1 if faults else 0


def _key(data: bytes, asked: argparse.Namespace, _: Say) -> Key | OpeningCode | None:
    if asked.opener is None:
        return None
    net = read_facts(unpack(data).parts["facts"]).net
    if asked.opener == "device":
        return _device_key(
            Path(asked.device_file or ""), _secret(asked, _("Passphrase of the device file: "))
        )
    if asked.opener == "code":
        return OpeningCode.parse(net, _secret(asked, _("Opening code of the record: ")))
    kit = RecoveryKit.parse(net, _secret(asked, _("Recovery kit of the authority: ")))
    return Key(kit.id, kit.kem_key)


def _secret(asked: argparse.Namespace, question: str) -> str:
    if asked.secret_file:
        return Path(asked.secret_file).read_text(encoding="utf-8").strip()
    return getpass.getpass(question)


def _device_key(path: Path, passphrase: str) -> Key:
    _, text = unlock(passphrase, path.read_bytes())
    stored = json.loads(text)["device"]
    device = Device.load({name: b64decode(value) for name, value in stored.items()})
    return Key(device.id, device.kem_key)


def read_messages(checked: Checked) -> list[ReadMessage]:
    """Return the verified messages for reading, in order."""
    applied = checked.thread.applied if checked.thread else []
    rows = []
    for each in applied:
        if each.message is not None:
            device = checked.device(each.message)
            name, office = (device.name, device.office) if device else ("", "")
            rows.append(
                ReadMessage(each.message, checked.texts.get(each.seq), name, office, each.received_at)
            )
    return rows


def describe(checked: Checked, _: Say) -> Iterator[str]:
    """Give what a record holds, line by line."""
    if checked.facts is None or checked.thread is None:
        return
    messages = checked.messages()
    yield _("Thread {thread}").format(thread=checked.facts.thread.hex())
    yield _("Items: {items}. Messages: {messages}. Opened: {opened}.").format(
        items=len(checked.thread.raw), messages=len(messages), opened=len(checked.texts)
    )
    yield from _exporter(checked, checked.facts, _)
    yield from _log(checked.log, _)
    for found in dict.fromkeys([*checked.anchors[:1], *checked.anchors[-1:]]):
        yield _("Items up to {number} stood in that log on {day}, by its anchor of that day.").format(
            number=found.seq, day=day_of(found.day)
        )
    yield from _opened(checked, checked.facts, _)
    yield from _contradiction(checked.contradiction, _)
    yield from _confirmed(checked, checked.facts, _)
    yield _("Compare these fingerprints with the authorities by another way:")
    for row in checked.facts.authorities:
        yield f"  {name_of(row, row.principal)}: {fingerprint_digits(row.principal)}"
    yield _("Key of the server that signed the receipts: {key}").format(key=checked.facts.server_key.hex())


def _log(found: LogProof | None, _: Say) -> Iterator[str]:
    if found is None:
        yield _("The record has no proof that these keys stood in the log of keys.")
    else:
        yield _("These keys stood in the log of keys, {size} lines long, {time}.").format(
            size=found.size, time=moment(found.at)
        )


def _confirmed(checked: Checked, facts: Facts, _: Say) -> Iterator[str]:
    names = {row.principal: row for row in facts.authorities}
    for principal, found in sorted(checked.confirmed.items()):
        ring = checked.keyrings.rings[found.secretariat]
        officers = [ring.devices[device] for device in found.devices]
        yield _confirmed_line(found, name_of(names.get(principal), principal), officers, _)
    for secretariat in sorted({found.secretariat for found in checked.confirmed.values()}):
        yield _secretariat_line(secretariat, _)


def _confirmed_line(found: Confirmed, authority: str, officers: Sequence[DeviceStatement], _: Say) -> str:
    return _(
        "That these are the keys of {authority} was confirmed by {persons} of the secretariat, {time}, "
        "by the State's note {reference} of {day}."
    ).format(
        authority=authority,
        persons=", ".join(sorted(officer.name for officer in officers)),
        time=moment(found.at),
        reference=found.note.reference,
        day=found.note.date,
    )


def _secretariat_line(principal: bytes, _: Say) -> str:
    return _("Fingerprint of the secretariat, to compare: {digits}").format(
        digits=fingerprint_digits(principal)
    )


def _opened(checked: Checked, facts: Facts, _: Say) -> Iterator[str]:
    names = {row.principal: row for row in facts.authorities}
    for principal, opened in sorted(checked.opened.items()):
        yield _("Opened up to item {number} by {authority}, which signed that {time}.").format(
            number=opened.seq, authority=name_of(names.get(principal), principal), time=moment(opened.at)
        )


def _contradiction(found: Contradiction | None, _: Say) -> Iterator[str]:
    if found is None:
        return
    if found.is_signed:
        yield _(
            "THE SERVER CONTRADICTED ITSELF at item {number}: it has signed for two versions, and both "
            "are in this record."
        ).format(number=found.seq)
    else:
        yield _(
            "At item {number} the server handed out something that does not fit; it is in this record, "
            "but the server has not signed for two versions."
        ).format(number=found.seq)


def _exporter(checked: Checked, facts: Facts, _: Say) -> Iterator[str]:
    if checked.exporter is None:
        return
    by, at = checked.exporter.by, moment(checked.exporter.at)
    ring = checked.keyrings.rings.get(by.principal)
    device = ring.devices.get(checked.exporter.device) if ring else None
    row = next((row for row in facts.authorities if row.principal == by.principal), None)
    yield _("Exported {time} by {name}, {office}, {authority}.").format(
        time=at,
        name=device.name if device else "?",
        office=device.office if device else "?",
        authority=name_of(row, by.principal),
    )


def _take_out(checked: Checked, seq: int, path: Path, _: Say) -> None:
    if checked.thread is None:
        return
    path.write_bytes(export_message(checked.thread, checked.keyrings.rings, seq, checked.disclosed.get(seq)))
    _print(_("Written: {path}").format(path=path))


# --- one message


def _show_one(data: bytes, _: Say) -> int:
    found = check_message_record(data)
    if isinstance(found, Fault):
        _print(fault_words(found, _))
        _print(_verdict(sound=False, _=_))
        return 1
    for line in describe_one(found, _):
        _print(line)
    _print(_verdict(sound=True, _=_))
    return 0


def describe_one(found: Proven, _: Say) -> Iterator[str]:
    """Give what the record of one message proves, line by line."""
    message, sender = found.message, found.sender
    yield _("Message {number} of the thread {thread}").format(
        number=found.receipt.seq, thread=message.thread.hex()
    )
    yield _("Signed {time} by {name}, {office}.").format(
        time=moment(message.statement.at), name=sender.name, office=sender.office
    )
    yield _("Received by the server {time}; key of the server: {key}").format(
        time=moment(found.receipt.at), key=found.facts.server_key.hex()
    )
    yield _("Fingerprint of the sender's authority, to compare: {digits}").format(
        digits=fingerprint_digits(message.by.principal)
    )
    yield _("That the keys stood in force is what the server signed for; stewards' signatures are not in it.")
    yield from _log(found.log, _)
    if found.anchored:
        yield _("It stood in that log on {day} at the latest, by the anchor of that day.").format(
            day=day_of(found.anchored.day)
        )
    if found.confirmed:
        digits = fingerprint_digits(message.by.principal)[:17]
        yield _confirmed_line(found.confirmed, digits, found.officers, _)
        yield _secretariat_line(found.confirmed.secretariat, _)
    body = found.plaintext.body
    if found.plaintext.subject:
        yield _("Subject: {subject}").format(subject=found.plaintext.subject)
    if isinstance(body, Note):
        yield ""
        yield body.text
        yield ""


# --- words


def _verdict(*, sound: bool, _: Say) -> str:
    if sound:
        return _("Everything in this record holds. Whose keys these are, only the fingerprints show.")
    return _("THIS RECORD DOES NOT HOLD. What is named above was changed, or is missing.")


def fault_words(fault: Fault, _: Say) -> str:
    """Return a fault as a line: where, what, the rule."""
    words = words_of(fault.code, _) or fault.detail
    return f"{fault.part}: {words} [{fault.rule} {fault.code}]"


def words_of(code: str, _: Say) -> str:
    """Return a sentence for what goes wrong most, else nothing."""
    words = {
        "altered-part": _("this part was changed after the export."),
        "bad-container": _("the file was changed between its parts, or is no record."),
        "cannot-open": _("this cannot be opened with what was given."),
        "missing-part": _("this part is missing."),
        "wrong-root": _("this file is not the one that was signed."),
        "opening-code-mistyped": _("this is not an opening code, or it was typed wrong."),
        "recovery-kit-mistyped": _("this is not a recovery kit, or it was typed wrong."),
        "unexpected-part": _("this part was added after the export."),
        "unknown-exporter": _("the list of parts is not signed by a device of a member."),
        "wrong-end": _("the thread ends elsewhere than the exporter says."),
        "wrong-plain": _("this is not the text that was signed."),
        "wrong-place": _("this stands in a wrong place, or one before it is missing."),
        "wrong-receipt": _("the server has signed for something else."),
    }
    return words.get(code, "")


if __name__ == "__main__":
    sys.exit(main())
