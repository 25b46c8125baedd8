import { expect, test } from 'vitest';
import { parsePing } from './ping.ts';

test('an answered ping tells its mean time', () => {
  const output =
    '3 packets transmitted, 3 received, 0% packet loss, time 100ms\nrtt min/avg/max/mdev = 0.400/0.512/0.700/0.1 ms\n';
  expect(parsePing(output)).toEqual({ ok: true, sent: 3, received: 3, rttMs: 0.512 });
});

test('a ping that is answered in part is not ok, and still tells its time', () => {
  const output =
    '3 packets transmitted, 2 received, +1 errors, 33% packet loss, time 100ms\nrtt min/avg/max/mdev = 1/2/3/0.1 ms\n';
  expect(parsePing(output)).toEqual({ ok: false, sent: 3, received: 2, rttMs: 2 });
});

test('an unanswered ping has no time', () => {
  expect(parsePing('1 packets transmitted, 0 received, 100% packet loss, time 0ms\n')).toEqual({
    ok: false,
    sent: 1,
    received: 0,
    rttMs: undefined,
  });
});

test('anything else is an error that shows it', () => {
  expect(() => parsePing('ping: what?')).toThrow('ping: what?');
});
