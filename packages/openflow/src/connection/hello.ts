import { OpenFlowError } from '../errors.ts';
import { VERSION } from '../messages/codes.ts';
import type { Hello } from '../messages/types.ts';
import { SwitchError } from './switch-error.ts';

/** A promise that others settle, once; nobody has to look at it. */
export type Agreement = {
  readonly promise: Promise<void>;
  readonly agreed: () => void;
  readonly failed: (error: OpenFlowError) => void;
};

export function agreement(): Agreement {
  let agreed!: () => void;
  let failed!: (error: OpenFlowError) => void;
  const promise = new Promise<void>((resolve, reject) => {
    agreed = resolve;
    failed = reject;
  });
  promise.catch(() => undefined);
  return { promise, agreed, failed };
}

/**
 * Settles the agreement by the switch's hello (section 6.3.1): its bitmap must have our version; without a bitmap
 * the version of its header must not be lower, as the lower of the two counts.
 */
export function judgeHello({ versions }: Hello, headerVersion: number, { agreed, failed }: Agreement): void {
  if (versions.length === 0 ? headerVersion >= VERSION : versions.includes(VERSION)) return agreed();
  const spoken = versions.length === 0 ? `${headerVersion}` : versions.join(', ');
  failed(new OpenFlowError('negotiation_failed', `the switch speaks wire versions ${spoken}, not ${VERSION}`));
}

/** An error before the hello is about the version. */
export function judgeError(error: OpenFlowError, { failed }: Agreement): void {
  failed(
    error instanceof SwitchError ? new OpenFlowError('negotiation_failed', error.errorName, { cause: error }) : error,
  );
}
