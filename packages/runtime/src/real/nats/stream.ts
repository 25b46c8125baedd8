import {
  JetStreamApiCodes,
  JetStreamApiError,
  type MsgRequest,
  type StoredMsg,
  type StreamInfo,
} from '@nats-io/jetstream';
import { TopicGone } from '../../message-queue.ts';
import { realClock } from '../clock.ts';
import type { Link } from './connection.ts';

/** A topic is a stream that keeps one message of each subject; its messages are under `root`. */
export interface StreamNames {
  readonly topic: string;
  readonly stream: string;
  readonly root: string;
  /** `markSubject` below `root`. */
  readonly mark: string;
}

/** Where in a topic its writer leaves its mark. */
export const markSubject = '_writer';

/** What all streams of topics have in front of their names. */
export const streamPrefix = 'alcor-';

export function namesOf(topic: string): StreamNames {
  if (!/^[\w-]+$/.test(topic)) throw new TypeError(`'${topic}' is no name for a topic: want letters, digits, - and _`);
  const root = `alcor.${topic}`;
  return { topic, stream: `${streamPrefix}${topic}`, root, mark: `${root}.${markSubject}` };
}

/** The last word of a topic's writer about itself. */
export interface Mark {
  readonly fence: number;
  /** Nobody else has this. */
  readonly writer: string;
  /** How many messages of the writer may be under way at a time. */
  readonly window: number;
  /** The position of the newest message that was purged. */
  readonly forgotten: number;
}

export async function readMark(link: Link, names: StreamNames): Promise<(Mark & { readonly position: number }) | null> {
  const message = await findMessage(link, names, { last_by_subj: names.mark });
  return message === null ? null : { ...message.json<Mark>(), position: message.seq };
}

/** A message of the stream, as its leader has it; null where there is none. Throws `TopicGone`. */
export async function findMessage(
  { jetStream }: Link,
  names: StreamNames,
  which: { readonly last_by_subj: string } | { readonly next_by_subj: string; readonly seq: number },
): Promise<StoredMsg | null> {
  try {
    return await jetStream.streams.getMessage(names.stream, which as MsgRequest);
  } catch (error) {
    throw isGone(error) ? gone(names) : error;
  }
}

/** Throws `TopicGone`. */
export async function streamInfo(link: Link, names: StreamNames): Promise<StreamInfo> {
  try {
    return await link.jetStream.streams.info(names.stream);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  // A cluster that has just chosen a leader may not know all that it holds.
  if (isClustered(link)) await realClock.sleep(500);
  try {
    return await link.jetStream.streams.info(names.stream);
  } catch (error) {
    throw isGone(error) ? gone(names) : error;
  }
}

/** A leader that has just been chosen may for a moment be behind what the cluster has taken in and told. */
export function isClustered({ connection }: Link): boolean {
  return connection.info?.cluster !== undefined;
}

export function isGone(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

export function gone({ topic }: StreamNames): TopicGone {
  return new TopicGone(`there is no ${topic}`);
}
