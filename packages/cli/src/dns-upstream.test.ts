import { realRuntime } from '@alcor/runtime';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { dnsUpstream } from './dns-upstream.ts';

const { clock } = realRuntime();
/** A for www.example., with recursion desired. */
const query = Buffer.from('00000100000100000000000003777777076578616d706c650000010001', 'hex');
const servers: Socket[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers with its port. */
async function answering(
  onQuery: (query: Buffer, say: (bytes: Buffer) => void, from: RemoteInfo) => void,
): Promise<number> {
  const socket = createSocket('udp4');
  servers.push(socket);
  socket.on('message', (message, from) =>
    onQuery(message, (bytes) => socket.send(bytes, from.port, from.address), from),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

function answerTo(asked: Buffer, more = ''): Buffer {
  const answer = Buffer.concat([asked, Buffer.from(more)]);
  answer[2]! |= 0x80;
  return answer;
}

it('takes the answer to its question and no other', async () => {
  const numbers = new Set<number>();
  const port = await answering((asked, say) => {
    numbers.add(asked.readUInt16BE(0));
    const other = answerTo(asked, 'wrong number');
    other.writeUInt16BE(asked.readUInt16BE(0) ^ 1, 0);
    const name = answerTo(asked, 'wrong name');
    name[13] = 0x78;
    for (const bytes of [other, name, Buffer.from(asked), Buffer.alloc(3), Buffer.alloc(0)]) say(bytes);
    const upper = answerTo(asked, 'right');
    upper[13] = 0x57;
    say(upper);
  });
  const ask = dnsUpstream(['127.0.0.1'], clock, port);
  for (let n = 0; n < 5; n++) {
    const answer = Buffer.from(await ask(query));
    expect(answer.subarray(query.length).toString()).toBe('right');
  }
  expect(numbers.size).toBeGreaterThan(1);
});

it('takes no answer from anybody else, asks the next server, and gives up at the last', async () => {
  const stranger = createSocket('udp4');
  servers.push(stranger);
  const port = await answering((asked, _, from) => {
    stranger.send(answerTo(asked, 'forged'), from.port, from.address);
  });
  // Nobody listens at the first address.
  await expect(dnsUpstream(['127.0.0.9', '127.0.0.1'], clock, port)(query)).rejects.toThrow(
    '127.0.0.1 does not answer',
  );
});
