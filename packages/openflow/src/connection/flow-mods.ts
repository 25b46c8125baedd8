import { ByteWriter } from '../bytes/writer.ts';
import { OpenFlowError } from '../errors.ts';
import type { FlowMod } from '../flow.ts';
import { writeMessage } from '../messages/encode.ts';
import type { BundleControl, BundleFlag, Message } from '../messages/types.ts';
import type { Channel } from './channel.ts';
import { barrier, requestOf } from './requests.ts';
import type { Requests } from './requests.ts';
import { SwitchError } from './switch-error.ts';
import type { ApplyResult, FlowModFailure } from './types.ts';

/** Bytes to gather before they go to the stream: large enough to be quick, small enough to let others in between. */
const BATCH_BYTES = 64 * 1024;

/** Sends flow-mods without waiting for each, then one barrier. Rejects only if the connection or the caller ends it. */
export async function applyEach(
  requests: Requests,
  mods: readonly FlowMod[],
  signal?: AbortSignal,
): Promise<ApplyResult> {
  return pipeline(requests, mods, (mod) => mod, signal);
}

/**
 * Applies all flow-mods or none (section 7.3.9): the failures say which ones stand in the way, and then nothing has
 * changed. Rejects with the switch's error if the bundle fails as a whole.
 */
export async function applyBundle(
  requests: Requests,
  mods: readonly FlowMod[],
  bundle: number,
  signal?: AbortSignal,
): Promise<ApplyResult> {
  const flags: readonly BundleFlag[] = ['atomic', 'ordered'];
  const control = (command: BundleControl['command']): BundleControl => ({
    type: 'bundle_control',
    bundle,
    flags,
    command,
  });
  await requestOf(requests, control('open_request'), 'bundle_control', signal);
  const inBundle = (message: FlowMod): Message => ({ type: 'bundle_add', bundle, flags, message });
  const added = await pipeline(requests, mods, inBundle, signal, async (collected) => {
    // The switch checks what it can as messages come; the barrier has brought all of those errors.
    if (collected.failures.length > 0) {
      await requestOf(requests, control('discard_request'), 'bundle_control', signal);
      return;
    }
    await commit(requests, control('commit_request'), collected, signal);
  });
  return added;
}

/** A refused commit is explained by errors of single messages, which come first; without any it is thrown. */
async function commit(
  requests: Requests,
  message: BundleControl,
  collected: ApplyResult,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await requestOf(requests, message, 'bundle_control', signal);
  } catch (error) {
    if (!(error instanceof SwitchError) || collected.failures.length === 0) throw error;
  }
}

async function pipeline(
  requests: Requests,
  mods: readonly FlowMod[],
  wrap: (mod: FlowMod) => Message,
  signal: AbortSignal | undefined,
  conclude?: (collected: ApplyResult) => Promise<void>,
): Promise<ApplyResult> {
  const { channel } = requests;
  const failures: FlowModFailure[] = [];
  if (mods.length === 0) return { failures };
  const first = channel.xids(mods.length);
  const forget = channel.expect({
    first,
    last: first + mods.length - 1,
    answered: () => undefined,
    failed: (error, xid) => {
      if (xid !== 0) failures.push({ index: xid - first, error });
    },
    requestOf: (xid) => mods[xid - first],
  });
  try {
    await sendBatches(channel, mods, wrap, first, failures, signal);
    await barrier(requests, signal);
    await conclude?.({ failures });
  } finally {
    forget();
  }
  return { failures: failures.sort((a, b) => a.index - b.index) };
}

async function sendBatches(
  channel: Channel,
  mods: readonly FlowMod[],
  wrap: (mod: FlowMod) => Message,
  first: number,
  failures: FlowModFailure[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const writer = new ByteWriter(BATCH_BYTES + 1024);
  for (const [index, mod] of mods.entries()) {
    try {
      writeMessage(writer, wrap(mod), first + index);
    } catch (error) {
      if (!(error instanceof OpenFlowError)) throw error;
      failures.push({ index, error });
    }
    if (writer.length >= BATCH_BYTES) {
      await channel.sendBytes(writer.copy(), signal);
      writer.reset();
    }
  }
  if (writer.length > 0) await channel.sendBytes(writer.copy(), signal);
}
