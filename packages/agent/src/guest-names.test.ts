import { expect, test } from 'vitest';
import { guestName } from './guest-names.ts';

const domains = ['corp.example.', 'openstacklocal.'];

test.each([
  ['nothing', '', '', { hostName: 'host-10-0-0-5', domain: 'corp.example' }],
  ['a name', 'db', '', { hostName: 'db', domain: 'corp.example' }],
  ['a name and a domain', 'db', 'sql.example.', { hostName: 'db', domain: 'sql.example' }],
  ['a name with its domain', 'db.other.example.', 'sql.example.', { hostName: 'db', domain: 'other.example' }],
])('a guest of a port that says %s', (_, dnsName, dnsDomain, name) => {
  expect(guestName({ dnsName, dnsDomain }, domains, '10.0.0.5')).toEqual(name);
});

test('a guest whose network is not known has no domain', () => {
  expect(guestName({ dnsName: '', dnsDomain: '' }, [], 'fd00::5')).toEqual({
    hostName: 'host-fd00-5',
    domain: '',
  });
});
