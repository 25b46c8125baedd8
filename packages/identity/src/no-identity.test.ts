import { expect, it } from 'vitest';
import { noIdentity } from './no-identity.ts';

it('believes everyone to be the administrator, of the project that they name', async () => {
  const identity = noIdentity({ projectId: 'lab' });
  expect(await identity.authenticate('')).toMatchObject({ projectId: 'lab', roles: ['admin'], isAdmin: true });
  expect(await identity.authenticate('x', { 'x-project-id': 'p1' })).toMatchObject({ projectId: 'p1', isAdmin: true });
  expect(await identity.authenticate('', { 'x-project-id': ['p1', 'p2'] })).toMatchObject({ projectId: 'p1' });
  expect(await identity.authenticate('', { 'x-project-id': ' ' })).toMatchObject({ projectId: 'lab' });
  const member = await identity.authenticate('', { 'x-roles': 'Member, reader,,member' });
  expect(member).toMatchObject({ roles: ['member', 'reader'], isAdmin: false });
});
