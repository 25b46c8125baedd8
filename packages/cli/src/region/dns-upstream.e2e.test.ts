/** Guests that ask their host for names that are nobody's in the region. */
import { canEmulate } from '@alcor/lab';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { cleanUp, eventually, folder, portStatus, sh, start } from './testing/region-process.ts';

const run = promisify(execFile);
/** Of loopback, where the agents of emulated hosts are, too; its port 53 is nobody's. */
const UPSTREAM = '127.0.77.53';
/** Asks for www.example., A, and prints the answer in hexadecimal digits. */
const ASK = `
import socket
query = bytes.fromhex("4a4b0100000100000000000003777777076578616d706c650000010001")
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(8)
sock.sendto(query, ("169.254.169.254", 53))
print(sock.recv(4096).hex())
`;

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: names asked of others, on real Open vSwitch: ${emulation.reason}`);

let upstream: Socket | undefined;
afterAll(async () => {
  upstream?.close();
  removeGuests();
  await cleanUp();
});

describe.skipIf(!emulation.ok)("a name that is nobody's in the region", () => {
  it('is asked of the upstream, and failed while that is away', async () => {
    const { json, url } = await start([
      '--state',
      join(folder(), 'state'),
      '--no-demo',
      '--hosts',
      '1',
      '--dns-upstream',
      UPSTREAM,
    ]);
    const guest = await plugGuest(url, json, await makeNetwork(url, 1), 1);
    sh(`ip -n ${guest.vm} addr add 10.9.1.5/24 dev eth0; ip -n ${guest.vm} route add 169.254.169.254 dev eth0`);
    await eventually(
      'the port is active',
      () => portStatus(url, guest.port.id),
      (status) => status === 'ACTIVE',
    );
    const ask = async (): Promise<Buffer> => {
      const { stdout } = await run('ip', ['netns', 'exec', guest.vm, 'python3', '-c', ASK]);
      return Buffer.from(stdout.trim(), 'hex');
    };
    const failed = await ask();
    expect([failed.readUInt16BE(0), failed[3]! & 15]).toEqual([0x4a4b, 2]);

    upstream = createSocket('udp4');
    upstream.on('message', (query, from) => {
      const answer = Buffer.concat([query, Buffer.from('c00c000100010000003c0004cb007109', 'hex')]);
      answer[2]! |= 0x80;
      answer.writeUInt16BE(1, 6);
      upstream!.send(answer, from.port, from.address);
    });
    upstream.bind(53, UPSTREAM);
    await once(upstream, 'listening');
    const answer = await ask();
    expect([answer.readUInt16BE(0), answer[3]! & 15, answer.readUInt16BE(6)]).toEqual([0x4a4b, 0, 1]);
    expect([...answer.subarray(-4)]).toEqual([203, 0, 113, 9]);
  });
});
