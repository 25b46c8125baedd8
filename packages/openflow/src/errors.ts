/** What can be wrong with bytes (decoding), with a value (encoding), with a peer or with a connection. */
export type OpenFlowErrorCode =
  /** A length field points outside its container, or the bytes end too early. */
  | 'truncated'
  /** A length field is smaller than its own header, or not of the size that its type demands. */
  | 'bad_length'
  /** The version octet is not one that this library speaks. */
  | 'bad_version'
  /** A value does not fit its field, or a mask is used where none is allowed. */
  | 'bad_value'
  /** The same field occurs twice, or structures nest deeper than any switch accepts. */
  | 'bad_structure'
  /** The switch answered with OFPT_ERROR; see `SwitchError`. */
  | 'refused'
  /** The switch answered, but with another message than the request demands. */
  | 'unexpected_reply'
  /** No common version, or no hello in time. */
  | 'negotiation_failed'
  /** The switch was silent for longer than the caller allows. */
  | 'timeout'
  /** More is waiting for the switch than the caller allows. */
  | 'overloaded'
  /** The connection ended before the answer came. */
  | 'closed'
  /** The caller gave up through its signal. */
  | 'aborted';

/** The one error of this library; everything it throws or rejects with is of this class. */
export class OpenFlowError extends Error {
  override readonly name: string = 'OpenFlowError';
  readonly code: OpenFlowErrorCode;
  /** Where in the decoded bytes the fault lies; absent when no bytes are to blame. */
  readonly offset: number | undefined;

  constructor(code: OpenFlowErrorCode, detail: string, more: { offset?: number; cause?: unknown } = {}) {
    const at = more.offset === undefined ? '' : ` at byte ${more.offset}`;
    super(`${code}${at}: ${detail}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.offset = more.offset;
  }
}

/** Ends a switch over a closed union: the compiler proves that no case is left, and a lie in a type fails here. */
export function unreachable(value: never): never {
  throw new OpenFlowError('bad_value', `no such case: ${JSON.stringify(value)}`);
}
