import { expect, test } from 'vitest';
import { parsePing } from './ping.ts';

const answers = (...sequence: number[]): string =>
  sequence.map((each) => `64 bytes from 10.0.0.2: icmp_seq=${each} ttl=64 time=0.512 ms`).join('\n');

test('an answered ping tells its mean time', () => {
  const output = `${answers(1, 2, 3)}
3 packets transmitted, 3 received, 0% packet loss, time 100ms\nrtt min/avg/max/mdev = 0.400/0.512/0.700/0.1 ms\n`;
  expect(parsePing(output, 3)).toEqual({ ok: true, sent: 3, received: 3, rttMs: 0.512 });
});

test('a ping that is answered in part is not ok, and still tells its time', () => {
  const output = `${answers(1, 3)}
3 packets transmitted, 2 received, +1 errors, 33% packet loss, time 100ms\nrtt min/avg/max/mdev = 1/2/3/0.1 ms\n`;
  expect(parsePing(output, 3)).toEqual({ ok: false, sent: 3, received: 2, rttMs: 2 });
});

test('answers to more than was wanted do not make up for one that is missing, nor does a second one', () => {
  const output = `${answers(1, 3, 3, 4)}
4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 150ms\nrtt min/avg/max/mdev = 1/2/3/0.1 ms\n`;
  expect(parsePing(output, 3)).toEqual({ ok: false, sent: 3, received: 2, rttMs: 2 });
});

test('an unanswered ping has no time', () => {
  expect(parsePing('1 packets transmitted, 0 received, 100% packet loss, time 0ms\n', 1)).toEqual({
    ok: false,
    sent: 1,
    received: 0,
    rttMs: undefined,
  });
});

test('anything else is an error that shows it', () => {
  expect(() => parsePing('ping: what?', 1)).toThrow('ping: what?');
});
