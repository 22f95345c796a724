"""The one exception of sealed correspondence."""


class Refused(Exception):
    """Something breaks a rule of messaging/PROTOCOL.md.

    ``rule`` is the rule's number ("K4"), ``code`` a stable kebab-case word that both implementations
    share, ``detail`` a plain English sentence for logs and developers; it never holds a secret.
    """

    def __init__(self, rule: str, code: str, detail: str) -> None:
        super().__init__(f"{rule} {code}: {detail}")
        self.rule = rule
        self.code = code
        self.detail = detail
