/** What a question comes to. Lifetimes are as in the contract: of what was learnt, or until the question may be asked again; ms. */
export type Answer =
  | { readonly status: 'routable'; readonly neighborId: string; readonly lifetimeMs: number }
  | { readonly status: 'not-routable' | 'later' | 'invalid'; readonly reason: string; readonly lifetimeMs: number };

/** How long a host keeps what it does not use. */
export const learntLifetimeMs = 300_000;
/** What could not be reached may be a moment later. */
const refusedMs = 2_000;
const laterMs = 200;

export function invalid(reason: string): Answer {
  return { status: 'invalid', reason, lifetimeMs: refusedMs };
}

export function refused(reason: string): Answer {
  return { status: 'not-routable', reason, lifetimeMs: refusedMs };
}

export function later(reason: string): Answer {
  return { status: 'later', reason, lifetimeMs: laterMs };
}
