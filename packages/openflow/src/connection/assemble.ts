import { OpenFlowError } from '../errors.ts';
import type { FlowFilter, FlowStats } from '../flow.ts';
import { VERSION } from '../messages/codes.ts';
import type { NxtPacketIn2, NxtResume } from '../messages/types.ts';
import { PORT } from '../ports.ts';
import { applyBundle, applyEach } from './flow-mods.ts';
import { keepAlive } from './keep-alive.ts';
import type { Events } from './listeners.ts';
import { multipart } from './multipart.ts';
import { aborted } from './out-queue.ts';
import { barrier, command, request } from './requests.ts';
import type { Requests } from './requests.ts';
import type { ConnectOptions, OpenFlowConnection, PacketOutOptions, RequestOptions } from './types.ts';

export type Parts = {
  readonly requests: Requests;
  readonly datapathId: bigint;
  readonly events: Events;
  readonly options: ConnectOptions;
};

/** Puts the connection's parts together, and starts what runs until it ends: keep-alive and the caller's signal. */
export function assemble({ requests, datapathId, events, options }: Parts): OpenFlowConnection {
  const { channel } = requests;
  let bundles = 0;
  watch(requests, options);
  return {
    version: VERSION,
    datapathId,
    closed: channel.closed,
    close: () => channel.close(new OpenFlowError('closed', 'closed by its owner')),
    send: (message, { signal } = {}) => channel.send(message, channel.xids(1), signal),
    request: (message, { signal } = {}) => request(requests, message, signal),
    command: (message, { signal } = {}) => command(requests, message, signal),
    barrier: ({ signal } = {}) => barrier(requests, signal),
    multipart: (query, { signal } = {}) => multipart(requests, query, signal),
    applyFlowMods: (mods, { bundle = false, signal } = {}) => {
      if (!bundle) return applyEach(requests, mods, signal);
      bundles += 1;
      return applyBundle(requests, mods, bundles, signal);
    },
    dumpFlows: (filter, { signal } = {}) => dumpFlows(requests, filter ?? {}, signal),
    packetOut: (packet, { signal } = {}) => packetOut(requests, packet, signal),
    resume: (packet, change = {}) => channel.send(resumption(packet, change), channel.xids(1)),
    onPacketIn: events.packetIn.add,
    onPortStatus: events.portStatus.add,
    onFlowRemoved: events.flowRemoved.add,
    onError: events.error.add,
  };
}

function watch({ channel, sleep }: Requests, { signal, echoIntervalMs = 5_000 }: ConnectOptions): void {
  const ended = new AbortController();
  const giveUp = (): void => channel.close(aborted(signal));
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  void keepAlive(channel, sleep, echoIntervalMs, ended.signal);
  void channel.closed.finally(() => {
    signal?.removeEventListener('abort', giveUp);
    ended.abort();
  });
}

async function* dumpFlows(
  requests: Requests,
  filter: FlowFilter,
  signal: AbortSignal | undefined,
): AsyncGenerator<FlowStats, void, undefined> {
  for await (const part of multipart(requests, { kind: 'flows', filter }, signal)) {
    if (part.kind !== 'flows') throw new OpenFlowError('unexpected_reply', `${part.kind} for a dump of flows`);
    yield* part.flows;
  }
}

function packetOut(
  { channel }: Requests,
  { inPort = PORT.controller, match, actions, packet }: PacketOutOptions,
  signal: RequestOptions['signal'],
): Promise<void> {
  const metadata = { ...match, in_port: inPort };
  return channel.send({ type: 'packet_out', match: metadata, actions, packet }, channel.xids(1), signal);
}

/** The resume of a paused packet: its own properties, without those that only tell the controller something. */
function resumption(packet: NxtPacketIn2, change: { packet?: Uint8Array; match?: NxtPacketIn2['match'] }): NxtResume {
  const { userdata: _, unknown: __, fullLen: ___, bufferId: ____, ...kept } = packet;
  return { ...kept, ...change, type: 'nxt_resume' };
}
