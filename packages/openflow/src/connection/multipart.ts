import { OpenFlowError } from '../errors.ts';
import type { MultipartAnswer, MultipartQuery } from '../messages/multipart-types.ts';
import type { Message } from '../messages/types.ts';
import { startDeadline } from './deadline.ts';
import type { Deadline } from './deadline.ts';
import type { Requests } from './requests.ts';

/** Parts that may wait to be taken before reading from the switch stops; each is at most 64 KiB on the wire. */
const MAX_PARTS = 32;

/** What has come so far and has not been taken. */
type Inbox = {
  readonly parts: MultipartAnswer[];
  done: boolean;
  error: OpenFlowError | undefined;
  /** Wakes the taker, if it waits. */
  wake: () => void;
};

/** Asks and yields the parts of the answer; stopping early forgets the rest. */
export async function* multipart(
  { channel, sleep, timeoutMs }: Requests,
  query: MultipartQuery,
  signal?: AbortSignal,
): AsyncGenerator<MultipartAnswer, void, undefined> {
  const message: Message = { type: 'multipart_request', query };
  const inbox: Inbox = { parts: [], done: false, error: undefined, wake: () => undefined };
  const failed = (error: OpenFlowError): void => {
    inbox.error ??= error;
    inbox.wake();
  };
  const xid = channel.xids(1);
  const forget = channel.expect({
    first: xid,
    last: xid,
    answered: (answer) => {
      accept(inbox, answer);
      if (inbox.parts.length >= MAX_PARTS) channel.pause();
    },
    failed,
    requestOf: () => message,
  });
  const deadline = (): Deadline => startDeadline(sleep, timeoutMs, signal, failed);
  try {
    await channel.send(message, xid, signal);
    for (;;) {
      const part = await next(inbox, deadline);
      if (part === undefined) return;
      if (inbox.parts.length < MAX_PARTS && channel.paused) channel.resume();
      yield part;
    }
  } finally {
    forget();
    if (channel.paused) channel.resume();
  }
}

function accept(inbox: Inbox, answer: Message): void {
  if (answer.type === 'multipart_reply') {
    inbox.parts.push(answer.answer);
    inbox.done = !answer.more;
  } else inbox.error ??= new OpenFlowError('unexpected_reply', `${answer.type} for a multipart request`);
  inbox.wake();
}

/** The next part, waiting for it if need be; undefined after the last. */
async function next(inbox: Inbox, deadline: () => Deadline): Promise<MultipartAnswer | undefined> {
  while (inbox.parts.length === 0 && inbox.error === undefined && !inbox.done) {
    const running = deadline();
    await new Promise<void>((resolve) => {
      inbox.wake = resolve;
      // The deadline may have failed at once, by a signal that was aborted before.
      if (inbox.error !== undefined) resolve();
    });
    running.stop();
  }
  const part = inbox.parts.shift();
  if (part === undefined && inbox.error !== undefined) throw inbox.error;
  return part;
}
