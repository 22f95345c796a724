/** The facts that one browser profile keeps; its tabs share them. */
export class Facts {
  readonly kept = new Map<string, unknown>()
  fact = async (key: string) => this.kept.get(key)
  saveFact = async (key: string, value: unknown) => void this.kept.set(key, value)
  factsFrom = async (prefix: string) => [...this.kept].filter(([name]) => name.startsWith(prefix))
  factOrFirst = async (key: string, value: unknown) => {
    if (!this.kept.has(key)) this.kept.set(key, value)
    return this.kept.get(key)
  }
}
