/** HTTP between guests and whoever has their metadata, as Neutron's agent does it for Nova: who asks is said in headers that are signed. */
import { createHmac } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as send,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { MetadataGuest } from '@alcor/agent';

export interface MetadataProxyOptions {
  /** Where the metadata is, e.g. http://nova:8775. */
  readonly upstream: URL;
  /** Shared with whoever has the metadata (`metadata_proxy_shared_secret`). */
  readonly secret: string;
  readonly log: (message: string) => void;
}

/** What is said by the proxy, or of one connection only (RFC 9110 section 7.6.1). */
const ownHeaders: ReadonlySet<string> = new Set([
  'host', 'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect',
  'x-forwarded-for', 'x-instance-id', 'x-tenant-id', 'x-instance-id-signature', 'x-neutron-port-id',
]); // prettier-ignore

const PATIENCE_MS = 10_000;

/** Speaks with each guest that has opened a connection. */
export function metadataProxy(options: MetadataProxyOptions): (stream: Duplex, guest: MetadataGuest) => void {
  const guests = new WeakMap<object, MetadataGuest>();
  const server = createServer({ maxHeaderSize: 16_384 }, (request, response) => {
    const guest = guests.get(request.socket);
    if (guest === undefined || guest.instanceId === '') return refuse(response, 404);
    // A path and nothing else: what names another host would have the proxy ask there.
    if (request.url?.startsWith('/') !== true) return refuse(response, 400);
    forward(request, response, guest, options);
  });
  return (stream, guest) => {
    guests.set(stream, guest);
    // Guests end connections as they like.
    stream.on('error', () => undefined);
    server.emit('connection', stream);
  };
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  guest: MetadataGuest,
  { upstream, secret, log }: MetadataProxyOptions,
): void {
  const upstreamRequest = send({
    hostname: upstream.hostname.replace(/^\[|\]$/g, ''),
    port: upstream.port || 80,
    path: `${upstream.pathname.replace(/\/$/, '')}${request.url}`,
    method: request.method,
    headers: { ...passedOn(request.headers), ...signed(guest, secret) },
    timeout: PATIENCE_MS,
  });
  upstreamRequest.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, { ...passedOn(answer.headers), connection: 'close' });
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  upstreamRequest.on('timeout', () => upstreamRequest.destroy(new Error('no answer in time')));
  upstreamRequest.on('error', (error) => {
    if (response.headersSent) return void response.destroy();
    log(`metadata for the port ${guest.portId}: ${error.message}`);
    refuse(response, 502);
  });
  response.on('close', () => upstreamRequest.destroy());
  request.pipe(upstreamRequest);
}

function refuse(response: ServerResponse, status: 400 | 404 | 502): void {
  response.writeHead(status, { connection: 'close', 'content-length': 0 }).end();
}

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name)));
}

function signed(
  { ip, instanceId, projectId, portId }: MetadataGuest,
  secret: string,
): Readonly<Record<string, string>> {
  return {
    'X-Forwarded-For': ip,
    'X-Instance-ID': instanceId,
    'X-Tenant-ID': projectId,
    'X-Instance-ID-Signature': createHmac('sha256', secret).update(instanceId).digest('hex'),
    'X-Neutron-Port-ID': portId,
  };
}
