/** What one request may ask for; beyond it is a 4xx, so that no request costs unbounded time or memory. */
export interface Limits {
  /** Bytes of a request body. 4 MiB hold about 10,000 ports. */
  readonly bodyBytes: number;
  /** Resources in one bulk request; all of them are one transaction. */
  readonly bulkItems: number;
  /** Levels of lists and objects in a body. The deepest honest one has 5. */
  readonly jsonDepth: number;
  /** Values in a query string. A client that lists by ids sends about 200 in a path of 8 KiB. */
  readonly queryValues: number;
  /** Milliseconds in which a whole request must have arrived. */
  readonly requestMs: number;
}

export const defaultLimits: Limits = {
  bodyBytes: 4 * 1024 * 1024,
  bulkItems: 10_000,
  jsonDepth: 32,
  queryValues: 1_000,
  requestMs: 60_000,
};
