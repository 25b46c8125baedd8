import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidr, ip, mac } from './address-kinds.ts';
import { type Kind, Refusal, flag, integer, listOf, nullable, oneOf, record, text, uuid } from './kinds.ts';

function said(kind: Kind<unknown>, value: unknown): unknown {
  const parsed = kind.parse(value);
  return parsed instanceof Refusal ? `refused: ${parsed.reason}` : parsed;
}

describe('kinds', () => {
  it.each<readonly [string, Kind<unknown>, unknown, unknown]>([
    ['a flag', flag, 'True', true],
    ['a flag', flag, 0, false],
    ['a flag', flag, 2, "refused: '2' cannot be converted to boolean"],
    ['an integer', integer(1, 9), '7', 7],
    ['an integer', integer(1, 9), 7.5, "refused: '7.5' is not an integer from 1 to 9"],
    ['an integer', integer(1, 9), '10', "refused: '10' is not an integer from 1 to 9"],
    ['a choice', oneOf(4, 6), '6', 6],
    ['a choice', oneOf('a', 'b'), 'c', "refused: 'c' is not in ['a', 'b']"],
    ['a text', text(3), 'abcd', "refused: 'abcd' exceeds maximum length of 3"],
    ['a text', text(3), 1, "refused: '1' is not a valid string"],
    ['a text', text(3), 'a\0', "refused: 'a\0' holds a character that cannot be stored"],
    ['an id', uuid(), '00000000-0000-4000-8000-0000000000AB', '00000000-0000-4000-8000-0000000000ab'],
    ['an id', uuid(), 'x', "refused: 'x' is not a valid UUID"],
    ['null', nullable(flag), null, null],
    ['a list', listOf(flag, 2), [1, 0, 1], 'refused: at most 2 items are taken, 3 were given'],
    ['a list', listOf(flag, 2, String), [1, true], "refused: Duplicate items in the list: 'true'"],
    ['a record', record({ a: flag }, { b: flag }), { a: 1 }, { a: true }],
    ['a record', record({ a: flag }, { b: flag }), { b: 1 }, 'refused: Expected keys not found: a'],
    ['a record', record({ a: flag }, {}), { a: 1, c: 2 }, "refused: Unexpected key 'c'"],
    ['an address', ip, '2001:DB8::0:1', '2001:db8::1'],
    ['an address', ip, '10.0.0.256', "refused: '10.0.0.256' is not a valid IP address"],
    ['a block', cidr, '10.0.0.77/24', '10.0.0.0/24'],
    ['a block', cidr, '10.0.0.0', "refused: '10.0.0.0' is not a valid IP subnet"],
    ['a MAC', mac, 'FA-16-3E-00-00-01', 'fa:16:3e:00:00:01'],
    ['a MAC', mac, '00:00:00:00:00:00', "refused: '00:00:00:00:00:00' is not a valid MAC address"],
  ])('%s: %#', (_, kind, value, expected) => {
    expect(said(kind, value)).toEqual(expected);
  });

  it('have one form: what they made, they take unchanged', () => {
    const kinds: readonly Kind<unknown>[] = [flag, integer(0, 100), oneOf(4, 6), text(20), uuid(), ip, cidr, mac];
    const spelled = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.uuid(),
      fc.jsonValue(),
      fc.tuple(fc.ipV6(), fc.nat(140)).map((pair) => pair.join('/')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...kinds), spelled, (kind, value) => {
        const once = kind.parse(value);
        if (!(once instanceof Refusal)) expect(kind.parse(once)).toEqual(once);
      }),
    );
  });

  it('say no more of a value than fits into a message', () => {
    fc.assert(
      fc.property(fc.constantFrom(flag, text(1), ip, mac, uuid()), fc.anything(), (kind, value) => {
        const parsed = kind.parse(value);
        if (parsed instanceof Refusal) expect(parsed.reason.length).toBeLessThan(150);
      }),
    );
  });
});
