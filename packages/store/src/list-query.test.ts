import { expect, it } from 'vitest';
import { listStatement } from './list-query.ts';
import { networkResource } from './resources/network.ts';
import { portResource } from './resources/port.ts';
import { arrayLiteral } from './sql.ts';

const tail = (text: string): string => text.slice(text.lastIndexOf('from')).replaceAll(/\s+/g, ' ').trim();

it('asks for one row more than the page, by id', () => {
  const { text, parameters } = listStatement(networkResource, { limit: 10, filter: { name: ['a', 'b"'] } });
  expect(tail(text)).toBe('from networks t where t.name = any($1::text[]) order by t.id asc limit $2');
  expect(parameters).toEqual([String.raw`{"a","b\""}`, 11]);
});

it('asks for equality where there is one value, so that an index gives the rows in order', () => {
  const { text, parameters } = listStatement(networkResource, { limit: 10, filter: { name: ['a'] } });
  expect(tail(text)).toBe('from networks t where t.name = $1::text order by t.id asc limit $2');
  expect(parameters).toEqual(['a', 11]);
});

it('compares rows where all keys go one way, and key by key where they do not', () => {
  const marker = '018f0000-0000-7000-8000-000000000000' as never;
  const one = listStatement(portResource, { marker, sort: [{ key: 'name', direction: 'asc' }] });
  expect(one.text).toContain('where (t.name, t.id) > ((select k0 from marker), (select k1 from marker))');
  const other = listStatement(portResource, { marker, sort: [{ key: 'name', direction: 'desc' }] });
  expect(other.text).toContain(
    '(t.name <= (select k0 from marker) and ((t.name < (select k0 from marker)) or (t.name = (select k0 from marker) and t.id > (select k1 from marker))))',
  );
});

it('refuses a field it does not know, whatever it is called', () => {
  const filter = { 'id; drop table ports': ['x'] } as never;
  expect(() => listStatement(portResource, { filter })).toThrow('cannot filter by');
  expect(() => listStatement(portResource, { sort: [{ key: 'toString' as never, direction: 'asc' }] })).toThrow(
    'sort by',
  );
});

it('writes array literals that hold anything', () => {
  expect(arrayLiteral(['a,b', '"', '\\', '{}', '', true, 7])).toBe(String.raw`{"a,b","\"","\\","{}","","true","7"}`);
});
