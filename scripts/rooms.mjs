// The arrows between rooms: what each may import. Fails when a package imports or depends on a room it must not know.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const everything = [
  'network',
  'contract',
  'runtime',
  'store',
  'api',
  'compiler',
  'delivery',
  'config-manager',
  'agent',
  'lab',
  'identity',
  'cms',
  'openflow',
  'ovsdb',
];
const mayKnow = {
  openflow: [],
  ovsdb: [],
  contract: [],
  runtime: [],
  network: ['runtime'],
  store: ['network', 'runtime'],
  identity: ['network', 'runtime', 'store'],
  api: ['network', 'runtime', 'identity'],
  compiler: ['network', 'contract'],
  delivery: ['network', 'contract', 'runtime', 'compiler'],
  'config-manager': ['network', 'contract', 'runtime'],
  cms: ['network', 'contract', 'runtime', 'identity', 'api', 'config-manager'],
  agent: ['contract', 'runtime', 'openflow', 'ovsdb'],
  lab: ['network', 'contract', 'runtime', 'compiler', 'delivery', 'config-manager', 'agent', 'openflow', 'ovsdb'],
  cli: everything,
};

const complaints = readdirSync(join(root, 'packages')).flatMap((room) => complaintsOf(room));
for (const complaint of complaints) console.error(complaint);
process.exit(complaints.length === 0 ? 0 : 1);

function complaintsOf(room) {
  const allowed = mayKnow[room];
  if (allowed === undefined) return [`packages/${room}: a new room; say in scripts/rooms.mjs what it may know`];
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', room, 'package.json'), 'utf8'));
  const declared = Object.keys(dependencies).flatMap((name) => (name.startsWith('@alcor/') ? [name.slice(7)] : []));
  const wrong = declared
    .filter((other) => !allowed.includes(other))
    .map((other) => `packages/${room}/package.json: ${room} must not know ${other}`);
  return [...wrong, ...filesOf(room).flatMap((file) => wrongImports(room, file, declared))];
}

function filesOf(room) {
  return readdirSync(join(root, 'packages', room, 'src'), { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
    .map((file) => join('packages', room, 'src', file));
}

function wrongImports(room, file, declared) {
  const text = readFileSync(join(root, file), 'utf8');
  const isTest = file.endsWith('.test.ts') || file.includes('/testing/');
  const rooms = [...text.matchAll(/from '@alcor\/([a-z-]+)'/g)].map(([, other]) => other);
  const undeclared = rooms.filter((other) => !declared.includes(other) && !isTest);
  const sideways = isTest ? [] : [...text.matchAll(/from '((?:\.\.\/)+)([a-z-]+)\/src\//g)].map(([, , other]) => other);
  return [...undeclared, ...sideways].map((other) => `${file}: imports ${other}, which ${room} does not depend on`);
}
