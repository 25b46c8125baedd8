import { setMaxListeners } from 'node:events';
import { createInbox, headers, type Msg } from '@nats-io/transport-node';
import type { OutgoingMessage } from '../../message-queue.ts';
import { createWakeup } from '../../signal.ts';
import { realClock } from '../clock.ts';
import type { Link } from './connection.ts';

/** Messages of a writer that may be under way at a time. */
export const window = 128;
/** How long to wait for the next acknowledgement, in ms. */
const patienceMs = 5_000;

interface Acknowledgement {
  readonly seq?: number;
  readonly error?: { readonly description: string };
}

/**
 * Publishes `messages` from index `from` on, each with the condition that it follows the one before; `before` is the position that the very first one follows.
 * Resolves once all are in, or with what went wrong: how many are in is uncertain then.
 */
export async function publishInOrder(
  { connection, lost }: Link,
  root: string,
  messages: readonly OutgoingMessage[],
  from: number,
  before: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const inbox = createInbox();
  const news = createWakeup();
  const over = new AbortController();
  const stop = (): void => over.abort();
  // Writers of many topics may be told to stop by one signal.
  setMaxListeners(0, signal);
  for (const each of [signal, lost]) each.addEventListener('abort', stop, { once: true });
  let [sent, acknowledged] = [from, from];
  let failure: string | undefined;
  const fail = (why: string): void => {
    failure ??= why;
    over.abort();
  };
  let patience = realClock.timer(patienceMs, () => fail('the queue does not acknowledge'));
  const acknowledge = (reply: Msg): void => {
    const { seq, error } = acknowledgementIn(reply);
    if (error !== undefined) return fail(error.description);
    if (seq !== before + ++acknowledged) return fail(`an acknowledgement of ${seq} is out of place`);
    patience.cancel();
    patience = realClock.timer(patienceMs, () => fail('the queue does not acknowledge'));
    news.raise();
  };
  const subscription = connection.subscribe(inbox, {
    callback: (error, reply) => (error === null ? acknowledge(reply) : fail(error.message)),
  });
  try {
    while (acknowledged < messages.length && !over.signal.aborted && !lost.aborted) {
      while (sent < messages.length && sent - acknowledged < window) {
        const { subject, payload } = messages[sent]!;
        const condition = headers();
        condition.set('Nats-Expected-Last-Sequence', String(before + sent));
        connection.publish(`${root}.${subject}`, payload, { reply: inbox, headers: condition });
        sent++;
      }
      await news.wait(over.signal);
    }
    signal.throwIfAborted();
    return acknowledged === messages.length ? undefined : (failure ?? 'the connection was lost');
  } finally {
    patience.cancel();
    for (const each of [signal, lost]) each.removeEventListener('abort', stop);
    if (!connection.isClosed()) subscription.unsubscribe();
  }
}

function acknowledgementIn(reply: Msg): Acknowledgement {
  if (reply.headers?.code === 503) return { error: { description: 'no stream takes it' } };
  return reply.json<Acknowledgement>();
}
