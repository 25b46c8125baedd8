import type { Duplex } from 'node:stream';
import { OpenFlowError } from '../errors.ts';
import { VERSION } from '../messages/codes.ts';
import type { Message } from '../messages/types.ts';
import { assemble } from './assemble.ts';
import { Channel } from './channel.ts';
import { startDeadline } from './deadline.ts';
import { agreement, judgeError, judgeHello } from './hello.ts';
import type { Agreement } from './hello.ts';
import { eventListeners } from './listeners.ts';
import type { Events } from './listeners.ts';
import { aborted } from './out-queue.ts';
import { requestOf } from './requests.ts';
import type { Requests } from './requests.ts';
import type { ConnectOptions, OpenFlowConnection } from './types.ts';

/** All of a packet, in packet-ins that a table miss causes (section 7.3.2). */
const WHOLE_PACKET = 0xffff;

/**
 * Opens an OpenFlow 1.5 connection: dials, agrees on the version, asks who the switch is and tells it to send
 * asynchronous messages. Rejects with `negotiation_failed` if the switch does not speak 1.5 (in Open vSwitch the
 * bridge's `protocols` must have OpenFlow15), `timeout`, `aborted`, or `closed` with what the dial rejected with.
 */
export async function connect(options: ConnectOptions): Promise<OpenFlowConnection> {
  const { sleep, signal, connectTimeoutMs = 5_000, requestTimeoutMs = 30_000, maxPending = 4_096 } = options;
  const attempt = new AbortController();
  const deadline = startDeadline(sleep, connectTimeoutMs, signal, (error) => attempt.abort(error));
  let channel: Channel | undefined;
  try {
    const stream = await dialled(options, attempt.signal);
    const events = eventListeners();
    const hello = agreement();
    const opened = openChannel(stream, maxPending, events, hello);
    channel = opened;
    attempt.signal.addEventListener('abort', () => opened.close(reasonOf(attempt.signal)), { once: true });
    const requests: Requests = { channel, sleep, timeoutMs: requestTimeoutMs };
    const datapathId = await handshake(requests, hello, options);
    return assemble({ requests, datapathId, events, options });
  } catch (error) {
    const reason = attempt.signal.aborted ? reasonOf(attempt.signal) : toOpenFlowError(error);
    channel?.close(reason);
    throw reason;
  } finally {
    deadline.stop();
  }
}

/** The stream from the caller's dial, or the attempt's end; a stream that comes too late is destroyed. */
async function dialled({ dial }: ConnectOptions, signal: AbortSignal): Promise<Duplex> {
  if (signal.aborted) throw reasonOf(signal);
  const dialling = dial(signal);
  const givenUp = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true });
  });
  givenUp.catch(() => undefined);
  try {
    return await Promise.race([dialling, givenUp]);
  } catch (error) {
    dialling.then(
      (late) => late.destroy(),
      () => undefined,
    );
    throw error;
  }
}

function openChannel(stream: Duplex, maxPending: number, events: Events, hello: Agreement): Channel {
  const channel = new Channel(stream, maxPending, {
    message: (message, xid, version) => {
      if (message.type === 'hello') judgeHello(message, version, hello);
      else if (message.type === 'echo_request') {
        channel.send({ type: 'echo_reply', data: message.data }, xid).catch(() => undefined);
      } else emit(events, message);
    },
    error: (error) => {
      judgeError(error, hello);
      events.error.emit(error);
    },
  });
  channel.closed.then(hello.failed, () => undefined);
  return channel;
}

/** Gives an asynchronous message to those who listen for its kind. */
function emit(events: Events, message: Message): void {
  if (message.type === 'packet_in' || message.type === 'nxt_packet_in2') events.packetIn.emit(message);
  else if (message.type === 'port_status') events.portStatus.emit(message);
  else if (message.type === 'flow_removed') events.flowRemoved.emit(message);
}

/** Hello both ways, features, and what makes an Open vSwitch management socket send asynchronous messages at all. */
async function handshake(requests: Requests, hello: Agreement, options: ConnectOptions): Promise<bigint> {
  const { channel } = requests;
  const { packetInFormat = 'nxt_packet_in2', controllerId = 0 } = options;
  await channel.send({ type: 'hello', versions: [VERSION] }, channel.xids(1));
  await hello.promise;
  const features = await requestOf(requests, { type: 'features_request' }, 'features_reply');
  const config = await requestOf(requests, { type: 'get_config_request' }, 'get_config_reply');
  // A miss_send_len of 0, the default there, means "no asynchronous messages" (ovs-vswitchd's service connections).
  const setup: readonly Message[] = [
    { type: 'set_config', fragments: config.fragments, missSendLen: WHOLE_PACKET },
    { type: 'nxt_set_packet_in_format', format: packetInFormat },
    { type: 'nxt_set_controller_id', id: controllerId },
  ];
  for (const message of setup) await channel.send(message, channel.xids(1));
  return features.datapathId;
}

function reasonOf(signal: AbortSignal): OpenFlowError {
  return signal.reason instanceof OpenFlowError ? signal.reason : aborted(signal);
}

function toOpenFlowError(cause: unknown): OpenFlowError {
  return cause instanceof OpenFlowError ? cause : new OpenFlowError('closed', 'the dial failed', { cause });
}
