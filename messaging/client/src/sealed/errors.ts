/** A rule of PROTOCOL.md does not hold. `code` is stable and the same in messaging/sealed/errors.py. */
export class Refused extends Error {
  readonly rule: string
  readonly code: string
  readonly detail: string

  constructor(rule: string, code: string, detail: string) {
    super(`${rule} ${code}: ${detail}`)
    this.name = 'Refused'
    this.rule = rule
    this.code = code
    this.detail = detail
  }
}

/** Throws {@link Refused} unless `condition` holds. */
export function insist(condition: unknown, rule: string, code: string, detail: string): asserts condition {
  if (!condition) throw new Refused(rule, code, detail)
}
