interface Copy {
  readonly id: string;
  readonly vpcId: string;
  readonly revisionNumber: number;
}

/** Resources that several VPCs tell of: the newest word on each counts for all until the last VPC has let go of it. */
export class Copies<T extends Copy> {
  readonly #copies = new Map<string, Map<string, T>>();
  readonly #set: (state: T) => void;
  readonly #remove: (id: string) => void;

  constructor(set: (state: T) => void, remove: (id: string) => void) {
    this.#set = set;
    this.#remove = remove;
  }

  set(state: T): void {
    const copies = this.#copies.get(state.id) ?? new Map<string, T>();
    this.#copies.set(state.id, copies.set(state.vpcId, state));
    if (newest(copies) === state) this.#set(state);
  }

  remove(vpcId: string, id: string): void {
    const copies = this.#copies.get(id);
    const before = copies === undefined ? undefined : newest(copies);
    if (copies?.delete(vpcId) !== true) return;
    const now = newest(copies);
    if (now === undefined) {
      this.#copies.delete(id);
      this.#remove(id);
    } else if (now.revisionNumber !== before?.revisionNumber) this.#set(now);
  }
}

/** Of copies of one revision the one that came last. */
function newest<T extends Copy>(copies: ReadonlyMap<string, T>): T | undefined {
  let found: T | undefined;
  for (const copy of copies.values())
    if (found === undefined || copy.revisionNumber >= found.revisionNumber) found = copy;
  return found;
}
