import { OpenFlowError } from '../errors.ts';
import type { Message } from '../messages/types.ts';
import type { Channel } from './channel.ts';
import { startDeadline } from './deadline.ts';
import type { Sleep } from './types.ts';

/** What every request needs: the channel, time, and how long to wait. */
export type Requests = { readonly channel: Channel; readonly sleep: Sleep; readonly timeoutMs: number };

/** Sends one message and gives the one that answers it. Rejects with `SwitchError`, `timeout`, `aborted`, `closed`. */
export async function request(
  { channel, sleep, timeoutMs }: Requests,
  message: Message,
  signal?: AbortSignal,
): Promise<Message> {
  const xid = channel.xids(1);
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      deadline.stop();
      forget();
      settle();
    };
    const failed = (error: unknown): void => finish(() => reject(error));
    const forget = channel.expect({
      first: xid,
      last: xid,
      answered: (answer) => finish(() => resolve(answer)),
      failed,
      requestOf: () => message,
    });
    const deadline = startDeadline(sleep, timeoutMs, signal, failed);
    channel.send(message, xid, signal).catch(failed);
  });
}

/** The message of that type. */
type Of<M, T> = M extends { readonly type: infer U } ? (T extends U ? M & { readonly type: T } : never) : never;

/** `request`, with an answer of a given type or `unexpected_reply`. */
export async function requestOf<T extends Message['type']>(
  requests: Requests,
  message: Message,
  answerType: T,
  signal?: AbortSignal,
): Promise<Of<Message, T>> {
  const answer = await request(requests, message, signal);
  if (!isOf(answer, answerType)) {
    throw new OpenFlowError('unexpected_reply', `${answer.type} for ${message.type}, not ${answerType}`);
  }
  return answer;
}

function isOf<T extends Message['type']>(message: Message, type: T): message is Message & Of<Message, T> {
  return message.type === type;
}

/** Waits until the switch has done all that was sent before (section 7.3.7). */
export async function barrier(requests: Requests, signal?: AbortSignal): Promise<void> {
  await requestOf(requests, { type: 'barrier_request' }, 'barrier_reply', signal);
}

/** Sends a message that is answered only when refused, then a barrier; rejects with the refusal. */
export async function command(requests: Requests, message: Message, signal?: AbortSignal): Promise<void> {
  const { channel } = requests;
  const xid = channel.xids(1);
  let refusal: OpenFlowError | undefined;
  const forget = channel.expect({
    first: xid,
    last: xid,
    answered: () => undefined,
    failed: (error) => (refusal ??= error),
    requestOf: () => message,
  });
  try {
    await channel.send(message, xid, signal);
    await barrier(requests, signal);
  } finally {
    forget();
  }
  if (refusal !== undefined) throw refusal;
}
