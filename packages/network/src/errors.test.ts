import { expect, it } from 'vitest';
import { AlcorError, errorTable, refusal } from './errors.ts';

it('fills in the message and takes status and type from the table', () => {
  const error = refusal('IpAddressAlreadyAllocated', { ip: '10.0.0.2', subnetId: 's' }, { item: 3 });
  expect(error).toMatchObject({
    code: 'IpAddressAlreadyAllocated',
    status: 409,
    type: 'IpAddressAlreadyAllocated',
    item: 3,
  });
  expect(error.message).toBe('IP address 10.0.0.2 already allocated in subnet s.');
});

it('keeps the cause of what nobody expected, and tells nobody', () => {
  const cause = new TypeError('secret');
  const error = AlcorError.from(cause);
  expect(error).toMatchObject({ code: 'Internal', status: 500, cause });
  expect(error.message).not.toContain('secret');
  expect(AlcorError.from(error)).toBe(error);
});

it('fills a parameter that looks like a placeholder only once', () => {
  expect(refusal('InvalidInput', { reason: '{reason} $& $1' }).message).toContain('{reason} $& $1');
});

it('has Neutron words end as sentences', () => {
  for (const [code, { message }] of Object.entries(errorTable)) {
    // These come from the policy library, which ends them so.
    expect(message, code).toMatch(/\.$|\}$| is disallowed by policy$/);
  }
});
