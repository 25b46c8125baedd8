/**
 * What can go wrong, as one closed list:
 * - `framing`: the byte stream is no sequence of JSON objects, or one is larger than allowed
 * - `protocol`: a well-formed JSON text that is not what RFC 7047 puts at this place
 * - `refused`: the server answered a request with an error (unknown database, unknown method, …)
 * - `transaction`: an operation of a transaction failed, so nothing of it was done; see {@link TransactionError}
 * - `unsupported`: the server is too old for what was asked
 * - `overloaded`: more calls or bytes are waiting for the server than the limits allow
 * - `disconnected`: no connection now; whether a call that was under way took effect is unknown
 * - `closed`: the client was closed by its owner
 */
export type OvsdbErrorCode =
  | 'framing'
  | 'protocol'
  | 'refused'
  | 'transaction'
  | 'unsupported'
  | 'overloaded'
  | 'disconnected'
  | 'closed';

/** The one error type of this package, save for an aborted signal's own reason. The message starts with the code. */
export class OvsdbError extends Error {
  override readonly name: string = 'OvsdbError';
  readonly code: OvsdbErrorCode;

  constructor(code: OvsdbErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** What the server said of a transaction that it did not carry out. */
export interface TransactionFailure {
  /** Position of the failed operation, or `undefined` where the transaction as a whole failed when it was to commit. */
  readonly index: number | undefined;
  /** Such as `insert into Bridge`; `commit` for the transaction as a whole. */
  readonly operation: string;
  /** The server's short name for it, such as `constraint violation` or `timed out`. */
  readonly error: string;
  readonly details: string | undefined;
}

/** A transaction that failed, naming the operation; none of its operations took effect. */
export class TransactionError extends OvsdbError {
  override readonly name = 'TransactionError';
  readonly failure: TransactionFailure;

  constructor(failure: TransactionFailure) {
    const where = failure.index === undefined ? failure.operation : `operation ${failure.index} (${failure.operation})`;
    super('transaction', `${where}: ${failure.error}${failure.details === undefined ? '' : `: ${failure.details}`}`);
    this.failure = failure;
  }
}

/** Any thrown thing as an {@link OvsdbError}, keeping it as the cause. */
export function asOvsdbError(code: OvsdbErrorCode, thrown: unknown): OvsdbError {
  if (thrown instanceof OvsdbError) return thrown;
  return new OvsdbError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
